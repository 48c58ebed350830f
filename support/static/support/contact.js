// While somebody writes, their browser does a little work that costs machines dearly in bulk.
// Whatever fails here only means that the request is confirmed by mail instead.
const form = document.getElementById("contact");
const work = form.elements.work;
let solving = null;

function solve() {
  solving ??= start().catch(() => "").then((answer) => {
    work.value = answer;
  });
  return solving;
}

async function start() {
  const response = await fetch(form.dataset.challenge);
  const challenge = await response.json();
  const worker = new Worker(form.dataset.worker);
  const answer = await new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = reject;
    worker.postMessage(challenge.parameters);
  });
  worker.terminate();
  return btoa(JSON.stringify({ challenge, solution: answer }));
}

form.addEventListener("focusin", solve, { once: true });

form.addEventListener("submit", async (event) => {
  if (form.dataset.ready) return;
  event.preventDefault();
  if (form.dataset.sending) return;
  form.dataset.sending = "1";
  const status = form.querySelector("[role=status]");
  status.textContent = status.dataset.words;
  await solve();
  form.dataset.ready = "1";
  // Not within this event: a form that is being submitted takes no other submission.
  setTimeout(() => form.requestSubmit(), 0);
});

// Coming back by the browser's own button: the work was used up, and may be done once more.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
