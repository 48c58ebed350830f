// Completion for every text area of a condition, made when it is first entered.
document.addEventListener("focusin", (event) => {
  const area = event.target;
  if (!(area instanceof HTMLTextAreaElement) || !area.dataset.conditionFields) return;
  if (area.dataset.completes || typeof DjangoQL === "undefined") return;
  area.dataset.completes = "yes";
  new DjangoQL({
    selector: area,
    introspections: area.dataset.conditionFields,
    completionEnabled: true,
    valuesCaseSensitive: false,
    autoResize: false,
  });
});
