// The queue page by keyboard: a ticket's link has the focus, so that screen readers read it.
(() => {
  const rows = () => [...document.querySelectorAll(".q-rows .q-row")];
  const link = (row) => row.querySelector(".q-open");
  const pick = (row) => row.querySelector(".q-pick");
  const current = () => document.activeElement.closest(".q-rows .q-row");
  const keys = window.amendsKeys;

  function go(step) {
    const all = rows();
    const at = all.indexOf(current());
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
    if (!next) return;
    link(next).focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function open(key) {
    const row = current() || rows()[0];
    if (row) location.href = link(row).href + (key ? `#key-${key}` : "");
  }

  keys.add("j", "Next ticket", () => go(1));
  keys.add("ArrowDown", "Next ticket", () => go(1));
  keys.add("k", "Ticket before", () => go(-1));
  keys.add("ArrowUp", "Ticket before", () => go(-1));
  keys.add("o", "Open the ticket (or Enter)", () => open(""));
  keys.add("r", "Open it and reply", () => open("r"));
  keys.add("i", "Open it and note something for colleagues", () => open("i"));
  keys.add("m", "Open it and choose a macro", () => open("m"));

  // --- selecting, and what is done with the selected -------------------------------------------

  const bar = document.getElementById("q-bulk");
  const all = document.getElementById("q-all");

  const picked = () => rows().map(pick).filter((box) => box && box.checked);

  function count() {
    if (!bar) return;
    const n = picked().length;
    bar.hidden = n === 0;
    bar.querySelector("[data-selected]").textContent = n;
    if (all) {
      all.checked = n > 0 && n === rows().length;
      all.indeterminate = n > 0 && n < rows().length;
    }
    if (n === 0) bar.querySelector("[name=everything]").checked = false;
  }

  function toggleAll() {
    const isOn = picked().length < rows().length;
    for (const row of rows()) pick(row).checked = isOn;
    count();
  }

  function toggle() {
    const box = current() && pick(current());
    if (!box) return;
    box.checked = !box.checked;
    count();
  }

  // With nothing selected, the ticket that has the focus is meant.
  async function ask(what) {
    if (!picked().length) toggle();
    if (!picked().length) return;
    if (!document.getElementById(`bulk-${what}`)) {
      const answer = await fetch(bar.dataset.forms);
      if (window.amendsSignedOut(answer)) return;
      const place = document.createElement("div");
      place.innerHTML = await answer.text();
      document.querySelector(".q").after(place);
    }
    const dialog = document.getElementById(`bulk-${what}`);
    const isAll = bar.querySelector("[name=everything]").checked;
    const n = picked().length;
    const said = isAll ? "all of this view" : n === 1 ? "1 ticket" : `${n} tickets`;
    dialog.querySelector("[data-about]").textContent = said;
    dialog.showModal();
  }

  if (bar) {
    keys.add("x", "Select the ticket, or not", toggle);
    keys.add("X", "Select all on this page, or none", toggleAll);
    keys.add("a", "Assign", () => ask("assign"));
    keys.add("s", "Set the status", () => ask("status"));
    keys.add("u", "Move to another queue", () => ask("queue"));
    keys.add("t", "Change tags", () => ask("tags"));
    keys.add("l", "Link to an incident", () => ask("incident"));
    keys.add("p", "Set the priority", () => ask("priority"));
    all.addEventListener("change", toggleAll);
    document.addEventListener("change", (event) => {
      if (event.target.matches(".q-pick:not(#q-all)")) count();
    });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-bulk]");
      if (button) ask(button.dataset.bulk);
    });
    // Enter in a field of a dialog presses the dialog's own button, not the form's first.
    document.addEventListener("keydown", (event) => {
      const dialog = event.target.closest("dialog[id^=bulk-]");
      if (!dialog || event.key !== "Enter" || event.target.matches("button")) return;
      event.preventDefault();
      dialog.querySelector("button[type=submit]").click();
    });
    // A browser that comes back to the page keeps the boxes.
    window.addEventListener("pageshow", count);
  }

  // --- what changes while the page stands open --------------------------------------------------

  const EVERY = 20000; // ms
  const page = document.querySelector("[data-news]");

  async function news() {
    if (document.hidden) return;
    const query = new URLSearchParams(rows().map((row) => ["ticket", row.dataset.ticket]));
    try {
      const answer = await fetch(`${page.dataset.news}?${query}`);
      if (!answer.ok) return;
      const { counts, present } = await answer.json();
      for (const place of document.querySelectorAll("[data-count]")) {
        place.textContent = counts[place.dataset.count] ?? place.textContent;
      }
      for (const place of document.querySelectorAll("[data-present]")) {
        place.textContent = present[place.dataset.present] ?? "";
      }
    } catch {
      // The next one may get through.
    }
  }
  if (page) {
    news();
    setInterval(news, EVERY);
  }

  // --- the filter, fetched when it is asked for --------------------------------------------------

  const filter = document.getElementById("q-filter");
  document.addEventListener("click", async (event) => {
    const opener = event.target.closest("[data-filter]");
    if (!opener) return;
    const isOpen = !filter.hidden;
    filter.hidden = isOpen;
    opener.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) return;
    if (!filter.firstElementChild) {
      const answer = await fetch(opener.dataset.filter);
      if (window.amendsSignedOut(answer)) return;
      filter.innerHTML = await answer.text();
    }
    filter.querySelector("select, input:not([type=hidden])").focus();
  });
  // An address to pass on says only what is filtered by.
  filter.addEventListener("submit", (event) => {
    for (const field of event.target.elements) field.disabled = field.name && !field.value;
  });
})();
