// The composer: what is typed is kept, files go up with progress, what is sent is sent once.
(() => {
  const form = document.getElementById("composer");
  if (!form) return;
  const EVERY = 1500; // ms after the last key until the draft is kept
  const text = form.elements.text;
  const state = document.getElementById("composer-state");
  const errors = document.getElementById("composer-errors");
  const files = document.getElementById("composer-files");
  const say = document.documentElement.lang.startsWith("de")
    ? {
        saving: "Entwurf wird gespeichert …", saved: "Entwurf gespeichert", unsaved: "Nicht gespeichert: keine Verbindung. Es wird weiter versucht.",
        refused: (code) => `Der Server hat es nicht angenommen (${code}): nichts wurde gesendet. Ihr Text steht noch hier.`,
        sending: "Wird gesendet …", offline: "Keine Verbindung: nichts wurde gesendet. Ihr Text steht noch hier.", take: "Den anderen Text nehmen", keep: "Diesen behalten",
        big: (name, most) => `„${name}“ ist zu groß: höchstens ${most} MB sind möglich.`, lost: (name) => `„${name}“ kam nicht an: noch einmal anhängen.`,
      }
    : {
        saving: "Saving the draft …", saved: "Draft saved", unsaved: "Not saved: no connection. It is tried again.",
        refused: (code) => `The server did not take it (${code}): nothing was sent. Your words are still here.`,
        sending: "Sending …", offline: "No connection: nothing was sent. Your words are still here.", take: "Take the other text", keep: "Keep this one",
        big: (name, most) => `“${name}” is too large: at most ${most} MB are possible.`, lost: (name) => `“${name}” did not arrive: attach it again.`,
      };
  let version = form.dataset.version;
  let saved = text.value;
  let savedKind = kind();
  let timer = 0;
  let saving = null;
  let isSending = false;

  function kind() {
    return form.querySelector("[name=kind]:checked").value;
  }
  const isDirty = () => text.value !== saved || (text.value.trim() && kind() !== savedKind);
  const headers = { "X-Requested-With": "fetch" };

  function draftData() {
    const data = new FormData();
    data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    data.set("kind", kind());
    data.set("text", text.value);
    data.set("version", version);
    return data;
  }

  // --- the draft ---------------------------------------------------------------------------
  function changed() {
    clearTimeout(timer);
    timer = setTimeout(keep, EVERY);
  }
  function keep() {
    if (saving || isSending || !isDirty()) return saving;
    saving = keepNow().finally(() => {
      saving = null;
      if (isDirty() && !isSending) changed();
    });
    return saving;
  }
  async function keepNow() {
    const [sentText, sentKind] = [text.value, kind()];
    state.textContent = say.saving;
    const answer = await fetch(form.dataset.draft, { method: "POST", body: draftData(), headers }).catch(() => null);
    if (signedOut(answer)) return;
    if (!answer || answer.status >= 500) {
      state.textContent = say.unsaved;
      timer = setTimeout(keep, 4 * EVERY);
      return;
    }
    const told = await answer.json().catch(() => ({}));
    if (answer.status === 409) return elsewhere(told);
    if (!answer.ok) {
      state.textContent = say.unsaved;
      return;
    }
    version = told.version;
    [saved, savedKind] = [sentText, sentKind];
    state.textContent = version ? say.saved : "";
  }
  // Another window of the same person has changed the draft: ask which one counts.
  function elsewhere(told) {
    const mine = text.value;
    version = told.version;
    saved = mine;
    state.textContent = "";
    const offers = [[say.keep, () => { saved = null; keep(); }]];
    if (told.text !== undefined) offers.unshift([say.take, () => { text.value = saved = told.text; choose(told.kind); savedKind = told.kind; }]);
    show(told.errors, offers);
  }
  text.addEventListener("input", changed);
  text.addEventListener("focus", () => form.classList.add("writes"));
  form.addEventListener("change", (event) => {
    if (event.target.name === "kind") {
      labels();
      text.focus();
      if (text.value.trim()) changed();
    }
  });
  // Somebody signed out cannot keep a draft on the server; this window remembers it until then.
  const KEPT = `amends-unsaved:${location.pathname}`;
  function signedOut(answer) {
    if (!window.amendsSignedOut(answer)) return false;
    if (text.value.trim()) sessionStorage.setItem(KEPT, JSON.stringify({ text: text.value, kind: kind() }));
    state.textContent = "";
    return true;
  }
  function remember() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
    sessionStorage.removeItem(KEPT);
    if (!kept || kept.text === text.value) return;
    text.value = kept.text;
    choose(kept.kind);
    form.classList.add("writes");
    changed();
  }
  window.addEventListener("pagehide", () => {
    if (!isDirty() || isSending) return;
    const data = draftData();
    // What is being saved right now changes the version: this comes after it.
    if (saving) data.delete("version");
    navigator.sendBeacon(form.dataset.draft, data);
  });
  document.addEventListener("visibilitychange", () => document.hidden && keep());

  // --- what it says ------------------------------------------------------------------------
  function choose(value) {
    const radio = form.querySelector(`[name=kind][value=${value}]`);
    if (!radio) return;
    radio.checked = true;
    labels();
  }
  function labels() {
    const isNote = kind() === "internal";
    const isLater = !isNote && form.elements.send_at.value;
    form.querySelector("[data-label-note]").hidden = !isNote;
    form.querySelector("[data-label-later]").hidden = !isLater;
    form.querySelector("[data-label-answer]").hidden = isNote || Boolean(isLater);
  }
  form.elements.send_at.addEventListener("input", labels);
  // A key means the tab even where it is chosen already.
  form.querySelector(".tk-tabs").addEventListener("click", (event) => {
    if (event.target.name === "kind") text.focus();
  });
  function show(lines, offers = []) {
    errors.replaceChildren();
    for (const line of lines || []) {
      const p = document.createElement("p");
      p.textContent = line;
      errors.append(p);
    }
    for (const [label, run] of offers) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "am-btn small";
      button.textContent = label;
      button.addEventListener("click", () => { show([]); run(); text.focus(); });
      errors.append(button, " ");
    }
    errors.hidden = !errors.childNodes.length;
  }

  // --- sending -----------------------------------------------------------------------------
  async function send() {
    if (isSending) return;
    isSending = true;
    clearTimeout(timer);
    show([]);
    form.classList.add("sends");
    form.querySelector("[type=submit].primary").disabled = true;
    state.textContent = say.sending;
    // Nothing leaves without the files that were put to it.
    const lost = await uploads;
    if (saving) await saving;
    if (lost) return stopped(lost);
    const data = new FormData(form);
    data.delete("files"); // they are with the draft already
    if (kind() === "internal") data.delete("send_at");
    const answer = await fetch(form.action, { method: "POST", body: data, headers }).catch(() => null);
    const told = answer ? await answer.json().catch(() => ({})) : {};
    if (!told.errors && signedOut(answer)) return stopped([]);
    if (answer && answer.ok && told.to) {
      const here = location.pathname === told.to.split("#")[0];
      location.href = told.to;
      if (here) location.reload();
      return;
    }
    if (told.overtaken) overtaken(told);
    return stopped(told.overtaken ? [] : told.errors || [answer ? say.refused(answer.status) : say.offline]);
  }
  function stopped(lines) {
    isSending = false;
    uploads = Promise.resolve();
    form.querySelector("[type=submit].primary").disabled = false;
    state.textContent = "";
    show(lines);
    changed();
  }
  function overtaken(told) {
    const dialog = document.getElementById("dialog-overtaken");
    dialog.innerHTML = told.overtaken;
    form.elements.seen.value = told.seen;
    dialog.querySelector("[data-sends-anyway]").addEventListener("click", () => { dialog.close(); send(); });
    dialog.showModal();
  }
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.dataset.removes !== undefined) return remove(event);
    event.preventDefault();
    send();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && event.target === text) {
      text.blur();
    }
  });

  // --- files -------------------------------------------------------------------------------
  let uploads = Promise.resolve(); // gives what could not be attached and was not sent without
  let refused = []; // what could not be attached, of all that were chosen at once
  function refuse(lines) {
    refused.push(...lines);
    show(refused);
  }
  function attach(list) {
    refused = [];
    show([]);
    uploads = uploads.then(() => undefined);
    for (const file of list) {
      // One after the other, so that the draft they join is begun once.
      uploads = uploads.then(async (lost) => (await upload(file)) || lost);
    }
  }
  function upload(file) {
    const most = Number(form.dataset.mostMb);
    if (file.size > most * 1024 * 1024) {
      refuse([say.big(file.name, most)]);
      return undefined; // it never began, and the reader was told
    }
    const row = document.createElement("li");
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", file.name);
    row.append(file.name, " ", bar);
    files.append(row);
    return new Promise((done) => {
      const data = new FormData();
      data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      data.set("file", file);
      const request = new XMLHttpRequest();
      request.open("POST", form.dataset.upload);
      request.setRequestHeader("X-Requested-With", "fetch");
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) [bar.max, bar.value] = [event.total, event.loaded];
      });
      request.addEventListener("loadend", () => {
        let told = {};
        try { told = JSON.parse(request.responseText); } catch { /* told by the status */ }
        if (request.status === 200 && told.row) {
          row.outerHTML = told.row;
          version = told.version;
          done();
        } else {
          row.remove();
          if (!told.errors && signedOut(request)) return done();
          const lines = told.errors || [say.lost(file.name)];
          refuse(lines);
          done(isSending ? lines : undefined);
        }
      });
      request.send(data);
    });
  }
  async function remove(event) {
    event.preventDefault();
    const data = new FormData();
    data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    const row = event.submitter.closest("li");
    const answer = await fetch(event.submitter.formAction, { method: "POST", body: data, headers }).catch(() => null);
    if (answer && answer.ok) row.remove();
    text.focus();
  }
  const chooser = form.elements.files;
  function chosen(event) {
    if (event.target !== chooser) return;
    event.stopPropagation(); // the admin's theme takes every such field for one of its own making
    attach([...chooser.files]);
    chooser.value = "";
  }
  form.addEventListener("change", chosen, true);
  form.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    form.classList.add("drops");
  });
  form.addEventListener("dragleave", () => form.classList.remove("drops"));
  form.addEventListener("drop", (event) => {
    form.classList.remove("drops");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    attach([...event.dataTransfer.files]);
  });
  text.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    attach([...event.clipboardData.files]);
  });

  // --- preview, and what comes after sending -------------------------------------------------
  form.querySelector("[data-previews]").addEventListener("click", async () => {
    const answer = await fetch(form.dataset.preview, { method: "POST", body: draftData(), headers }).catch(() => null);
    if (signedOut(answer)) return undefined;
    if (!answer || !answer.ok) return show([say.unsaved]);
    const dialog = document.getElementById("dialog-preview");
    dialog.innerHTML = await answer.text();
    dialog.showModal();
    return undefined;
  });
  const after = form.elements.after;
  after.value = localStorage.getItem("tk-after") || "stay";
  after.addEventListener("change", () => localStorage.setItem("tk-after", after.value));
  labels();
  remember();

  window.amendsComposer = {
    // Puts words where the cursor is; used by macros.
    insert(words, then) {
      const [from, to] = [text.selectionStart, text.selectionEnd];
      text.setRangeText(words, from, to, "end");
      if (then) choose(then);
      text.focus();
      changed();
    },
    keep,
  };
})();
