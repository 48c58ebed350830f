// The decision table: rows are added, moved and removed; lists complete from what customers have.
"use strict";
(() => {
  const form = document.querySelector("[data-editor]");
  const asks = document.querySelector("[data-open-now]");
  if (asks) asks.showModal();
  if (!form) return;

  const rows = document.getElementById("rows");
  const known = JSON.parse(document.getElementById("known-values").textContent);
  const total = form.querySelector("[name=rules-TOTAL_FORMS]");
  let isChanged = false;

  function number() {
    rows.querySelectorAll("[data-row]").forEach((row, index) => {
      row.querySelector("[name$=-order]").value = index + 1;
    });
  }

  // What the closed part of a row holds, so that nothing counts unseen.
  const UNITS = {
    tenure_months_from: "from {} months", tenure_months_to: "below {} months",
    minutes_from: "from {} min", minutes_to: "to {} min",
  };
  function summarise(row) {
    const filled = [...row.querySelectorAll(".pv-grid input, .pv-grid textarea")]
      .map((field) => [field.name.replace(/^.*-/, ""), field.value.trim()])
      .filter(([name, value]) => value && name !== "label")
      .map(([name, value]) => (UNITS[name] || "{}").replace("{}", value));
    row.querySelector("[data-more]").textContent = filled.join(" · ") || "any";
  }

  function show(row) {
    const credit = row.querySelector("[name$=-credit]").value;
    row.querySelectorAll("[data-if]").forEach((part) => {
      part.hidden = !part.dataset.if.split(" ").includes(credit);
    });
    const removed = row.querySelector("[name$=-DELETE]");
    row.classList.toggle("is-removed", Boolean(removed && removed.checked));
    summarise(row);
  }

  function addRow() {
    const html = document.getElementById("empty-row").innerHTML.replaceAll("__prefix__", total.value);
    rows.insertAdjacentHTML("beforeend", html);
    total.value = Number(total.value) + 1;
    number();
    show(rows.lastElementChild);
    rows.lastElementChild.querySelector("[name$=-plans]").focus();
  }

  form.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (event.target.closest("[data-add-row]")) addRow();
    else if (event.target.closest("[data-up]") && row.previousElementSibling) row.previousElementSibling.before(row);
    else if (event.target.closest("[data-down]") && row.nextElementSibling) row.nextElementSibling.after(row);
    else return;
    isChanged = true;
    number();
  });
  form.addEventListener("change", (event) => {
    isChanged = true;
    const row = event.target.closest("[data-row]");
    if (row) show(row);
  });

  // A datalist completes one value; with what stands before the last comma put in front, a list.
  form.addEventListener("input", (event) => {
    const name = event.target.dataset.known;
    if (!name) return;
    const before = event.target.value.replace(/[^,]*$/, "");
    const prefix = before && before.replace(/\s*$/, " ");
    let list = document.getElementById("known-list");
    if (!list) {
      list = document.createElement("datalist");
      list.id = "known-list";
      form.append(list);
    }
    event.target.setAttribute("list", list.id);
    list.replaceChildren(...(known[name] || []).map((value) => new Option(prefix + value)));
  });
  form.addEventListener("focusin", (event) => {
    if (event.target.dataset.known) event.target.dispatchEvent(new Event("input", { bubbles: true }));
  });

  form.addEventListener("submit", () => { isChanged = false; });
  window.addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });
  rows.querySelectorAll("[data-row]").forEach(show);
})();
