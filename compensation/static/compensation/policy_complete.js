// Completion of plans, countries, segments and statuses from what customers have: typing or the
// down arrow opens the list, arrows choose, Enter or Tab takes, Escape closes.
"use strict";
(() => {
  const form = document.querySelector("[data-editor]");
  if (!form) return;
  const known = JSON.parse(document.getElementById("known-values").textContent);
  const SHOWN = 10;
  const list = document.createElement("ul");
  list.id = "pv-known";
  list.className = "pv-known";
  list.setAttribute("role", "listbox");
  list.hidden = true;
  form.append(list);
  let field = null;
  let chosen = -1;

  // In a list of values only the last one is completed; what stands before it is kept.
  function parts() {
    const isOne = "one" in field.dataset;
    const before = isOne ? "" : field.value.replace(/[^,]*$/, "");
    return { before: before && before.replace(/\s*$/, " "), word: field.value.slice(before.length).trim() };
  }

  function close() {
    list.hidden = true;
    chosen = -1;
    if (!field) return;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function choose(index) {
    chosen = index;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    if (index < 0) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  function open() {
    const { before, word } = parts();
    const taken = before.split(",").map((one) => one.trim());
    const fits = (known[field.dataset.known] || []).filter((value) => value !== word && !taken.includes(value)
      && value.toLowerCase().includes(word.toLowerCase()));
    list.replaceChildren(...fits.slice(0, SHOWN).map((value, index) => {
      const item = document.createElement("li");
      item.id = `pv-known-${index}`;
      item.setAttribute("role", "option");
      item.textContent = value;
      return item;
    }));
    if (!fits.length) return close();
    const box = field.getBoundingClientRect();
    Object.assign(list.style, { left: `${box.left}px`, top: `${box.bottom + 2}px`, minWidth: `${box.width}px` });
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    choose(-1);
  }

  function take(index) {
    field.value = parts().before + list.children[index].textContent;
    close();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  form.addEventListener("focusin", (event) => {
    close();
    field = event.target.dataset.known ? event.target : null;
    if (!field) return;
    for (const [name, value] of [["role", "combobox"], ["autocomplete", "off"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
      field.setAttribute(name, value);
    }
  });
  form.addEventListener("focusout", close);
  form.addEventListener("input", (event) => { if (field && event.target === field) open(); });
  window.addEventListener("scroll", close, true);
  list.addEventListener("mousedown", (event) => {
    const item = event.target.closest("li");
    if (item) take([...list.children].indexOf(item));
    event.preventDefault();
  });

  // Before the editor's own keys: what is chosen here is not a step to the field below.
  form.addEventListener("keydown", (event) => {
    if (!field || event.target !== field || event.altKey || event.ctrlKey || event.metaKey) return;
    const last = list.children.length - 1;
    if (event.key === "ArrowDown" && list.hidden) open();
    else if (event.key === "ArrowDown") choose(chosen < last ? chosen + 1 : 0);
    else if (event.key === "ArrowUp" && !list.hidden) choose(chosen > 0 ? chosen - 1 : last);
    else if (event.key === "Escape" && !list.hidden) close();
    else if (event.key === "Enter" && chosen >= 0) take(chosen);
    else if (event.key === "Tab" && chosen >= 0) { take(chosen); return; } // and on to the next field
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
})();
