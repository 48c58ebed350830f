// The keys of the desk's screens. Load this file (with `defer`), then say which keys there are:
//
//   <button data-key="n">Take next</button>      pressing n clicks it; a field is focused instead
//   data-key-help="Take the next ticket"         what the help says; else the label or the text
//   amendsKeys.add("j", "Next ticket", run)      for what no element stands for; run(event)
//   <a href="…/change/#key-r">                   the page it leads to opens as if r was pressed
//
// Keys rest while somebody types, while a dialog is open and with Ctrl, Alt or Meta held down. `?`
// opens the list of all keys, where they can be switched off (WCAG 2.1.4) in this browser.
window.amendsKeys = (() => {
  const OFF = "amends-keys-off";
  const NAMES = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc", Enter: "Enter" };
  const added = new Map();
  let previous = null;

  const isOff = () => localStorage.getItem(OFF) === "1";
  const isShown = (element) => element.getClientRects().length > 0 && !element.disabled;
  const isTyping = (target) =>
    target instanceof Element &&
    (target.isContentEditable ||
      target.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit])"));

  function add(key, help, run) {
    added.set(key, { help, run });
  }

  function elementFor(key) {
    const all = document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`);
    return [...all].find(isShown);
  }

  function press(key, event) {
    const own = added.get(key);
    if (own) {
      own.run(event);
      return true;
    }
    const element = elementFor(key);
    if (!element) return false;
    if (element.matches("input:not([type=checkbox]), textarea, select")) {
      element.focus();
      if (element.select) element.select();
    } else {
      element.click();
    }
    return true;
  }

  function textOf(element) {
    const said = element.dataset.keyHelp || element.getAttribute("aria-label") || element.textContent;
    return said.replace(/\s+/g, " ").trim();
  }

  function known() {
    const lines = [...added].map(([key, entry]) => [key, entry.help]);
    for (const element of document.querySelectorAll("[data-key]")) {
      const isNew = !lines.some(([key]) => key === element.dataset.key);
      if (isNew && isShown(element)) lines.push([element.dataset.key, textOf(element)]);
    }
    return lines.filter(([, help]) => help);
  }

  function helpDialog() {
    const dialog = document.createElement("dialog");
    dialog.className = "am-dialog";
    dialog.setAttribute("aria-labelledby", "desk-keys-title");
    dialog.innerHTML =
      '<form method="dialog"><h2 id="desk-keys-title">Keys of this page</h2>' +
      '<dl class="q-keys"></dl>' +
      '<label class="q-check"><input type="checkbox"> Single keys work in this browser</label>' +
      '<div class="am-actions"><button class="am-btn primary">Close</button></div></form>';
    const list = dialog.querySelector("dl");
    for (const [key, help] of [...known(), ["?", "These keys"]]) {
      const term = document.createElement("dt");
      const name = document.createElement("kbd");
      name.textContent = NAMES[key] || key;
      term.append(name);
      const meaning = document.createElement("dd");
      meaning.textContent = help;
      list.append(term, meaning);
    }
    const box = dialog.querySelector("input");
    box.checked = !isOff();
    box.addEventListener("change", () => localStorage.setItem(OFF, box.checked ? "0" : "1"));
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (previous) previous.focus();
    });
    return dialog;
  }

  function showHelp() {
    previous = document.activeElement;
    const dialog = document.body.appendChild(helpDialog());
    dialog.showModal();
  }

  // Captured before the theme's own listener for “/” sees it.
  window.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
      if (event.key !== "?" && isOff()) return;
      if (event.key === "?") showHelp();
      else if (!press(event.key, event)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shows-keys]")) showHelp();
  });

  // Where another page led here for one thing.
  window.addEventListener("load", () => {
    const wanted = /^#key-(.)$/.exec(location.hash);
    if (!wanted) return;
    history.replaceState(null, "", location.pathname + location.search);
    press(wanted[1], new Event("load"));
  });

  return { add, press, showHelp };
})();
