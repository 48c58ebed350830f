// A click in the mail is a vote: this page sends it, but not while a browser only guesses that it
// will be visited. Without scripts, its button does.
const send = () => document.querySelector("form[data-votes-at-once]").requestSubmit();
if (document.prerendering) document.addEventListener("prerenderingchange", send, { once: true });
else send();
