// The ticket's page: countdowns, what came meanwhile, answers on their way out, the mail's own look.
(() => {
  const page = document.getElementById("ticket");
  if (!page) return;
  const words = document.documentElement.lang.startsWith("de")
    ? { sends: (n) => `Wird in ${n} s gesendet` }
    : { sends: (n) => `To be sent in ${n} s` };

  // 18 min, 2 h 5 min, 3 d 4 h: as backoffice.display.duration writes it.
  function duration(seconds) {
    const minutes = Math.floor(Math.abs(seconds) / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
    const days = Math.floor(hours / 24);
    return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
  }

  function countDown() {
    for (const time of page.querySelectorAll("[data-countdown]")) {
      time.textContent = duration((Date.parse(time.dateTime) - Date.now()) / 1000);
    }
  }
  setInterval(countDown, 15000);

  // An answer that waits says for how long it can be undone, then what became of it.
  const SOON = 120000;
  async function refresh(article) {
    const answer = await fetch(article.dataset.delivery, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok) return;
    const held = document.createElement("template");
    held.innerHTML = await answer.text();
    const fresh = held.content.querySelector("article");
    if (!fresh || fresh.outerHTML === article.outerHTML) return;
    const hadFocus = article.contains(document.activeElement);
    article.replaceWith(fresh);
    if (hadFocus) fresh.focus({ preventScroll: true });
  }
  function watchAnswers() {
    for (const article of page.querySelectorAll("[data-delivery]")) {
      const left = Date.parse(article.dataset.sendAt) - Date.now();
      if (left > SOON) continue;
      const said = article.querySelector("[data-sends]");
      if (left > 0 && said) {
        said.textContent = words.sends(Math.ceil(left / 1000));
      } else {
        const turns = Number(article.dataset.turns || 0) + 1;
        article.dataset.turns = turns;
        // Seldomer and seldomer: a mail server may be slow.
        if ((turns & (turns - 1)) === 0 || turns % 30 === 0) refresh(article);
      }
    }
  }
  setInterval(watchAnswers, 1000);
  watchAnswers();

  // What was said since: told, not put under the reader's eyes.
  const news = document.getElementById("tk-came");
  async function look() {
    if (document.hidden || !news) return;
    const answer = await fetch(`${news.dataset.url}?seen=${news.dataset.seen}`).catch(() => null);
    if (!answer || !answer.ok) return;
    const html = (await answer.text()).trim();
    if (news.innerHTML.trim() !== html) news.innerHTML = html;
  }
  setInterval(look, 20000);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-reloads]");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", link.getAttribute("href"));
    location.reload();
  });

  // The mail's own look is fetched when somebody wants it.
  document.addEventListener(
    "toggle",
    (event) => {
      const frame = event.target.open && event.target.querySelector?.("iframe[data-src]");
      if (frame && !frame.src) frame.src = frame.dataset.src;
    },
    true,
  );

  // Every change, or only the last of each group.
  const box = document.getElementById("tk-shows-changes");
  function showChanges() {
    for (const group of page.querySelectorAll(".tk-changes")) group.open = box.checked;
  }
  if (box) {
    box.checked = localStorage.getItem("tk-shows-changes") === "1";
    if (box.checked) showChanges();
    box.addEventListener("change", () => {
      localStorage.setItem("tk-shows-changes", box.checked ? "1" : "0");
      showChanges();
    });
    page.addEventListener("htmx:afterSettle", () => box.checked && showChanges());
  }

  // A menu closes when it was used, left, or with Escape.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".tk-menu[open]")) {
      if (!menu.contains(event.target) || event.target.closest(".tk-menu-list")) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector(".tk-menu[open]");
    if (!menu) return;
    const items = [...menu.querySelectorAll(".tk-menu-list button")];
    const at = items.indexOf(document.activeElement);
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      items[(at + step + items.length) % items.length].focus();
    }
  });

  // In lists of choices the arrow keys go up and down, and what came in late is where one begins.
  document.addEventListener("keydown", (event) => {
    const list = event.target.closest?.(".tk-people");
    if (!list || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    const all = [...list.querySelectorAll("button:enabled")];
    const next = all[all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const dialog = event.target.closest?.("dialog[open]");
    const typed = document.activeElement?.matches("input") && document.activeElement.value;
    if (!dialog || typed || document.activeElement?.matches("[type=search]")) return;
    dialog.querySelector(".tk-people button:enabled, .tk-choices input")?.focus();
  });

  // The newest word is where work begins, unless the address leads elsewhere.
  if (!location.hash || location.hash.startsWith("#key-")) {
    const all = page.querySelectorAll(".tk-message");
    if (all.length > 2) all[all.length - 1].scrollIntoView({ block: "center" });
  }
})();
