// Opens the account without a click, but not while a browser only guesses that it will be visited.
const open = () => document.getElementById("open-account").requestSubmit();
if (document.prerendering) document.addEventListener("prerenderingchange", open, { once: true });
else open();
