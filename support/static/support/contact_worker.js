// Tries numbers until the key derived from one begins with the prefix that was asked for.
// The password is the nonce and the number, four bytes, the highest first.
function bytes(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function solve(parameters) {
  const nonce = bytes(parameters.nonce);
  const how = {
    name: "PBKDF2",
    hash: "SHA-256",
    salt: bytes(parameters.salt),
    iterations: parameters.cost,
  };
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  const number = new DataView(password.buffer, nonce.length);
  for (let counter = 0; ; counter += 1) {
    number.setUint32(0, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derived = hex(await crypto.subtle.deriveBits(how, key, parameters.keyLength * 8));
    if (derived.startsWith(parameters.keyPrefix)) return { counter, derivedKey: derived };
  }
}

onmessage = async (event) => {
  postMessage(await solve(event.data));
};
