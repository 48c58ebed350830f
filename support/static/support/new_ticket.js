// A ticket taken down for a customer: choosing who it is fills in what is known of them.
(() => {
  const form = document.getElementById("new-ticket");
  if (!form) return;
  const search = document.getElementById("new-q");
  const chosen = document.getElementById("new-chosen");
  const found = document.getElementById("new-found");
  form.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-chooses]");
    if (choice) {
      form.elements.customer.value = choice.value;
      chosen.querySelector("[data-name]").textContent = choice.dataset.chooses;
      form.elements.requester_address.value = choice.dataset.email;
      form.elements.language.value = choice.dataset.language;
      found.replaceChildren();
      chosen.hidden = false;
      search.hidden = true;
      form.elements.requester_name.focus();
    }
    if (event.target.closest("[data-forgets]")) {
      form.elements.customer.value = "";
      chosen.hidden = true;
      search.hidden = false;
      search.focus();
    }
  });
  // Enter in the search chooses the first found, and does not send the form.
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    found.querySelector("[data-chooses]")?.click();
  });
})();
