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

// Back from another page, forms can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) delete form.dataset.sent;
});

// A script whose reader was signed out meanwhile, or signed in anew, gets 401 for an answer:
//
//   if (window.amendsSignedOut(answer)) return;     says so, once, and offers to sign in again
window.amendsSignedOut = (answer) => {
  if (!answer || answer.status !== 401) return false;
  if (document.getElementById("am-signed-out")) return true;
  const [title, told, button] = document.documentElement.lang.startsWith("de")
    ? ["Sie sind abgemeldet", "Nichts wurde gesendet. Was Sie gerade schreiben, behält dieser Browser, bis Sie wieder angemeldet sind.", "Wieder anmelden"]
    : ["You are signed out", "Nothing was sent. What you are writing is kept in this browser until you are signed in again.", "Sign in again"];
  const dialog = document.createElement("dialog");
  dialog.id = "am-signed-out";
  dialog.className = "am-dialog";
  dialog.innerHTML = '<form method="dialog"><h2></h2><p></p><div class="am-actions"><button type="button" class="am-btn primary" autofocus></button></div></form>';
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("p").textContent = told;
  dialog.querySelector("button").textContent = button;
  // The page leads through the sign-in back to itself.
  dialog.querySelector("button").addEventListener("click", () => location.reload());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return true;
};
document.addEventListener("htmx:responseError", (event) => window.amendsSignedOut(event.detail.xhr));
