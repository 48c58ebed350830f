// Macros: m or the button opens the menu, and so does “/” on an empty line of the composer.
(() => {
  const form = document.getElementById("composer");
  const dialog = document.getElementById("dialog-macros");
  if (!form || !dialog) return;
  const place = dialog.querySelector("[data-macros]");
  const search = dialog.querySelector("input");
  const used = document.getElementById("composer-macro");
  const text = form.elements.text;
  const isGerman = document.documentElement.lang.startsWith("de");
  const choices = () => [...place.querySelectorAll("[data-macro]")].filter((b) => !b.closest("li").hidden);

  async function open() {
    dialog.showModal();
    search.value = "";
    search.focus();
    filter();
    for (const old of place.querySelectorAll("[role=alert]")) old.remove();
    if (place.querySelector("[data-macro]")) return;
    const answer = await fetch(dialog.dataset.url).catch(() => null);
    if (window.amendsSignedOut(answer)) return;
    if (answer && answer.ok) place.innerHTML = await answer.text();
    filter();
  }
  async function choose(button) {
    const answer = await fetch(button.dataset.url).catch(() => null);
    const told = answer ? await answer.json().catch(() => ({})) : {};
    if (!told.errors && window.amendsSignedOut(answer)) return;
    if (!answer || !answer.ok) {
      // What may not be promised is said where the macro was chosen.
      place.querySelectorAll("[role=alert]").forEach((old) => old.remove());
      for (const line of told.errors || [isGerman ? "Keine Verbindung." : "No connection."]) {
        const p = document.createElement("p");
        p.className = "am-note bad";
        p.setAttribute("role", "alert");
        p.textContent = line;
        place.prepend(p);
      }
      return;
    }
    dialog.close();
    form.elements.macro.value = button.dataset.macro;
    form.elements.then_status.value = told.then_status;
    const does = [button.dataset.name, ...told.does, told.warning].filter(Boolean);
    used.querySelector("span").textContent = does.join("; ");
    used.hidden = false;
    window.amendsComposer.insert(told.text, told.kind);
  }
  function forget() {
    form.elements.macro.value = "";
    used.hidden = true;
    text.focus();
  }
  function filter() {
    const wanted = search.value.trim().toLowerCase();
    for (const row of place.querySelectorAll("li")) {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
    }
  }
  search.addEventListener("input", filter);
  dialog.addEventListener("keydown", (event) => {
    const all = choices();
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      (all[next] || search).focus();
    } else if (event.key === "Enter" && document.activeElement === search) {
      event.preventDefault();
      if (all[0]) choose(all[0]);
    }
  });
  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-macro]");
    if (button) choose(button);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-opens-macros]")) open();
    if (event.target.closest("[data-unmacros]")) forget();
  });
  text.addEventListener("keydown", (event) => {
    const line = text.value.slice(0, text.selectionStart).split("\n").pop();
    if (event.key !== "/" || line !== "" || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    open();
  });
})();
