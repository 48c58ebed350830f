// Tells the others who is looking at this ticket or answering it, and shows who else is.
// The page includes admin/support/ticket/presence.html and marks its composer `data-composer`.
(() => {
  const EVERY = 15000; // ms; the server forgets somebody after three beats that did not come
  const TYPED = 60000; // ms after the last key in the composer that still count as answering
  let typedAt = 0;

  const place = () => document.getElementById("desk-presence");
  const isAnswering = () => Date.now() - typedAt < TYPED;

  function form(doing) {
    const data = new FormData();
    data.set("doing", doing);
    data.set("csrfmiddlewaretoken", place().dataset.token);
    return data;
  }

  async function beat() {
    if (!place() || document.hidden) return;
    const doing = isAnswering() ? "answering" : "viewing";
    try {
      const answer = await fetch(place().dataset.url, { method: "POST", body: form(doing) });
      if (!answer.ok) return;
      const words = await answer.text();
      // Only news is said again to a screen reader.
      if (place().textContent !== words) place().textContent = words;
    } catch {
      // Without a line to the server there is nobody to tell.
    }
  }

  document.addEventListener("input", (event) => {
    if (!event.target.closest("[data-composer]")) return;
    const isNews = !isAnswering();
    typedAt = Date.now();
    if (isNews) beat();
  });
  document.addEventListener("visibilitychange", beat);
  window.addEventListener("pagehide", () => {
    if (place()) navigator.sendBeacon(place().dataset.url, form("gone"));
  });
  document.addEventListener("DOMContentLoaded", () => {
    beat();
    setInterval(beat, EVERY);
  });
})();
