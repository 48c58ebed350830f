// The editor by keyboard: Ctrl+Enter saves, Alt+Enter adds a row below, Alt+Up and Alt+Down move
// it, Alt+Del removes it, Enter goes to the field below. After saving, the page is where it was.
"use strict";
(() => {
  const editor = window.policyEditor;
  if (!editor) return;
  const { form, rowsOf, fieldOf, addRow, moveRow, removeRow } = editor;
  const place = `policy-place:${location.pathname}`;
  const last = (field) => field.name.replace(/^.*-\d+-/, "");

  // Completion of a condition is open: its keys are its own.
  const completes = (field) => field.tagName === "TEXTAREA"
    && [...document.querySelectorAll(".djangoql-completion")].some((list) => list.offsetParent !== null && list.querySelector("li.active"));

  function below(field, row) {
    const next = row && row.nextElementSibling && fieldOf(row.nextElementSibling, last(field));
    if (next) next.focus();
  }

  function pressed(event) {
    const field = event.target;
    const row = field.closest("[data-row]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    else if (event.altKey && event.key === "Enter" && field.closest("[data-table]")) addRow(field.closest("[data-table]"), row);
    else if (event.altKey && row && event.key === "ArrowUp") moveRow(row, true);
    else if (event.altKey && row && event.key === "ArrowDown") moveRow(row, false);
    else if (event.altKey && row && (event.key === "Delete" || event.key === "Backspace")) removeRow(row);
    else if (event.key === "Enter" && field.matches("input, textarea") && !completes(field)) below(field, row);
    else return false;
    return true;
  }
  // Before the condition's completion, which takes Enter for "send".
  form.addEventListener("keydown", (event) => {
    if (event.isComposing || !pressed(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  // Letters choose within a list; the admin's search would open at a “t”.
  form.addEventListener("keydown", (event) => {
    if (event.target.tagName === "SELECT" && event.key.length === 1) event.stopPropagation();
  });

  // What was found leads to its field.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-leads]");
    const row = link && document.querySelector(link.getAttribute("href"));
    if (!row) return;
    const field = fieldOf(row, link.dataset.leads) || row.querySelector("input:not([type=hidden])");
    const folded = field.closest("details");
    if (folded) folded.open = true;
    field.focus();
    field.scrollIntoView({ block: "center" });
    event.preventDefault();
  });

  // Rows are numbered anew when saved, and empty ones go, so a place is table, row and field.
  form.addEventListener("submit", () => {
    const field = document.activeElement;
    const row = field && field.closest && field.closest("[data-row]");
    const table = row && row.closest("[data-table]");
    sessionStorage.setItem(place, JSON.stringify({
      top: document.scrollingElement.scrollTop,
      table: table && table.dataset.table,
      row: table && rowsOf(table).filter((one) => !one.classList.contains("is-removed")).indexOf(row),
      field: table && last(field),
      id: field && field.id,
    }));
  });
  const left = JSON.parse(sessionStorage.getItem(place) || "null");
  sessionStorage.removeItem(place);
  if (!left || document.querySelector("dialog[open], [role=alert]")) return;
  const table = left.table && form.querySelector(`[data-table=${left.table}]`);
  const row = table && rowsOf(table)[left.row];
  const field = row ? fieldOf(row, left.field) : document.getElementById(left.id);
  if (field && form.contains(field)) field.focus({ preventScroll: true });
  document.scrollingElement.scrollTop = left.top;
})();
