// A form with data-passkey ("create" or "get") asks the browser for a passkey when it is sent, by the server's options
// in data-options, and sends the answer along in its field "credential". Octets travel as base64url.
const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const SENTENCES = {
  NotAllowedError: "It was cancelled, it took too long, or this device has no passkey of your account. Try again.",
  InvalidStateError: "This device or key holds a passkey of your account already.",
  SecurityError: "Passkeys belong to the usual address of this site. Open the site there and try again.",
};
const NOT_HERE = "This browser has no passkeys, or not on this address. Use another way, or another browser.";

const withOctets = ({ publicKey }) => {
  publicKey.challenge = octets(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = octets(publicKey.user.id);
  for (const list of [publicKey.excludeCredentials, publicKey.allowCredentials]) {
    for (const credential of list ?? []) credential.id = octets(credential.id);
  }
  return { publicKey };
};

const answerOf = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]) {
    if (credential.response[name]) response[name] = base64url(credential.response[name]);
  }
  return JSON.stringify({ rawId: base64url(credential.rawId), response });
};

const ask = async (form) => {
  const options = withOctets(JSON.parse(form.dataset.options));
  return answerOf(await navigator.credentials[form.dataset.passkey](options));
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const field = form.elements.credential;
  const alert = form.querySelector('[role="alert"][hidden]');
  let isAsking = false;

  form.addEventListener("submit", async (event) => {
    if (field.value) return;
    event.preventDefault();
    if (isAsking) return;
    isAsking = true;
    alert.hidden = true;
    try {
      if (!navigator.credentials || !window.PublicKeyCredential) throw new Error("no passkeys");
      field.value = await ask(form);
      form.requestSubmit();
    } catch (error) {
      alert.querySelector("[data-passkey-problem]").textContent = SENTENCES[error.name] ?? NOT_HERE;
      alert.hidden = false;
    }
    isAsking = false;
  });
  addEventListener("pageshow", () => { field.value = ""; });  // An answer is good once, also after going back.
}
