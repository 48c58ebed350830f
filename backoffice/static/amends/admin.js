// Buttons with data-opens="id" open that <dialog>; data-closes inside it closes it again.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    // One dialog serves many rows: the opener says where its form goes and what it asks about.
    if (opener.dataset.action) dialog.querySelector("form").action = opener.dataset.action;
    const about = dialog.querySelector("[data-about]");
    if (about && opener.dataset.about) about.textContent = opener.dataset.about;
    dialog.showModal();
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog").close();
});

// A second click while the first is under way must not send the form twice.
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-once]")) {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  }
});
