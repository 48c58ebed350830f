// The editor of a draft: rows and examples are added, moved and removed. Its keys are in
// policy_keys.js, completion of known values in policy_complete.js.
"use strict";
(() => {
  const form = document.querySelector("[data-editor]");
  const asks = document.querySelector("[data-open-now]");
  if (asks) asks.showModal();
  if (!form) return;

  const tables = [...form.querySelectorAll("[data-table]")];
  const state = form.querySelector("[data-state]");
  let isChanged = false;

  const rowsOf = (table) => [...table.querySelectorAll("[data-rows] > [data-row]")];
  const fieldOf = (row, name) => row.querySelector(`[name$="-${name}"]`);

  function number(table) {
    rowsOf(table).forEach((row, index) => { fieldOf(row, "order").value = index + 1; });
  }

  function changed() {
    isChanged = true;
    state.textContent = state.dataset.changed;
  }

  // What a folded part holds, so that nothing counts unseen.
  const UNITS = {
    tenure_months_from: "from {} months", tenure_months_to: "below {} months",
    minutes_from: "from {} min", minutes_to: "to {} min",
    tenure_months: "{} months with us", share_percent: "{} % hit", period_minutes: "of {} min",
  };
  const usually = (field) => field.tagName === "SELECT"
    && [...field.options].some((option) => option.selected && option.value === (field.dataset.usual ?? field.options[0].value));
  function held(part, naming) {
    return [...part.querySelectorAll("input, textarea, select")]
      .map((field) => [field, field.name.replace(/^.*-/, ""), field.value.trim()])
      .filter(([field, name, value]) => value && name !== "label" && !name.endsWith("_inclusive") && !usually(field)
        && (field.type !== "checkbox" || field.checked) && !(name === "holdout_percent" && Number(value) === 0))
      .map(([field, name, value]) => naming(field, name, value));
  }
  function summarise(row) {
    const said = held(row.querySelector(".pv-grid"), (field, name, value) => (UNITS[name] || "{}").replace("{}", value));
    row.querySelector("[data-more]").textContent = said.join(" · ") || row.querySelector("[data-more]").dataset.more || "any";
  }
  function summariseTerms() {
    form.querySelectorAll(".pv-folded").forEach((part) => {
      const said = held(part, (field, name, value) => {
        const label = field.labels[0] ? field.labels[0].textContent.trim() : name;
        return field.type === "checkbox" ? label : `${label}: ${field.tagName === "SELECT" ? field.selectedOptions[0].text : value}`;
      });
      part.querySelector("[data-filled]").textContent = said.length ? `– ${said.join(" · ")}` : "";
    });
  }

  function show(row) {
    const credit = fieldOf(row, "credit");
    if (credit) credit.closest("[data-credit]").dataset.credit = credit.value;
    const removed = fieldOf(row, "DELETE");
    row.classList.toggle("is-removed", Boolean(removed && removed.checked));
    summarise(row);
  }

  // A new row after `row`, or at the end; what most examples share is taken over from the one above.
  function addRow(table, row) {
    const total = table.querySelector("[name$=-TOTAL_FORMS]");
    const most = table.querySelector("[name$=-MAX_NUM_FORMS]");
    if (Number(total.value) >= Number(most.value)) {
      table.querySelector("[data-add]").disabled = true;
      return;
    }
    const html = table.querySelector("template[data-empty]").innerHTML.replaceAll("__prefix__", total.value);
    const body = table.querySelector("[data-rows]");
    if (row) row.insertAdjacentHTML("afterend", html);
    else body.insertAdjacentHTML("beforeend", html);
    const made = row ? row.nextElementSibling : body.lastElementChild;
    total.value = Number(total.value) + 1;
    const above = made.previousElementSibling;
    if (above && table.dataset.table === "examples") {
      for (const name of ["fee", "starts_on", "plan", "country", "segment", "period_minutes"]) {
        fieldOf(made, name).value = fieldOf(above, name).value;
      }
    }
    number(table);
    show(made);
    made.querySelector("[data-first] input, [data-first] select").focus();
    changed();
  }

  function moveRow(row, up) {
    const other = up ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    const focused = document.activeElement;
    if (up) other.before(row); else other.after(row);
    if (row.contains(focused)) focused.focus();
    number(row.closest("[data-table]"));
    changed();
  }

  function removeRow(row) {
    const box = fieldOf(row, "DELETE");
    box.checked = !box.checked;
    show(row);
    changed();
  }

  form.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (event.target.closest("[data-add]")) addRow(event.target.closest("[data-table]"));
    else if (event.target.closest("[data-up]")) moveRow(row, true);
    else if (event.target.closest("[data-down]")) moveRow(row, false);
  });
  form.addEventListener("change", (event) => {
    changed();
    const row = event.target.closest("[data-row]");
    if (row) show(row);
    else summariseTerms();
  });

  // Where nothing is written yet there is nothing to lose.
  form.addEventListener("submit", () => { isChanged = false; });
  window.addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });

  // A long table has its "Save" at hand once the page's own buttons are out of sight.
  const lead = document.querySelector(".am-lead .am-actions");
  const bar = form.querySelector("[data-bar]");
  new IntersectionObserver(([seen]) => { bar.hidden = seen.isIntersecting; }).observe(lead);

  tables.forEach((table) => rowsOf(table).forEach(show));
  summariseTerms();
  window.policyEditor = { form, tables, rowsOf, fieldOf, addRow, moveRow, removeRow };
})();
