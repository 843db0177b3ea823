/** What the page asks the portal for, and what can come of it. */
import { recordedFetch } from "./traffic.js";

/** The longest that an answer may take, in milliseconds; the server gives up earlier. */
const PATIENCE = 90_000;

/** The portal judged the request and refused it: nothing was issued for it. */
export class Refused extends Error {
  /**
   * @param {Record<string, string[]>} errors sentences by field: alias, csr, and "" for the whole
   * @param {{title: string, found: string, wanted: string}[]} verdicts the broken rules
   * @param {string} address of the page to go on with, where the one of now will be refused again; "" for the same
   */
  constructor(errors, verdicts = [], address = "") {
    super(Object.values(errors).flat().join(" "));
    this.errors = errors;
    this.verdicts = verdicts;
    this.address = address;
  }
}

/** The sign-in has ended. The same request can be sent again after the next. */
export class SignedOut extends Error {}

/** The request was refused before it was read. Signing in again makes the page's token worthless; cookies can be off. */
export class Forbidden extends Error {}

/** Who is signed in may add nothing to this project, or there is no such project. The request changed nothing. */
export class NoAccess extends Error {
  constructor() {
    super("The project was deleted, you are no longer an admin of it, or somebody else has signed in since.");
  }
}

/** No usable answer came: whether the certificate was issued is not known. The same request can be sent again. */
export class NoAnswer extends Error {}

/** The portal cannot do it now, or somebody else is signed in. The message is its reason. The request can be sent again. */
export class NotNow extends Error {}

/**
 * Ask for the certificate. Asked again with the same submission, the portal answers with the same certificate.
 *
 * @param {{address: string, token: string, alias: string, submission: string, csr: string}} request
 * @returns {Promise<object>} the answer: credential, certificates (base64 DER, leaf first), usage
 * @throws {Refused | SignedOut | Forbidden | NoAccess | NoAnswer | NotNow}
 */
export async function requestCertificate({ address, token, alias, submission, csr }) {
  const boundary = `----${submission}`;
  const body = multipart({ alias, submission, csr }, boundary);
  const type = `multipart/form-data; boundary=${boundary}`;
  const response = await post(address, token, { body, headers: { "Content-Type": type } });
  const answer = await response.json().catch(() => null);
  if (response.ok && answer?.credential && answer.certificates?.length > 0) return answer;
  if (response.status === 503 && answer?.errors) throw new NotNow(Object.values(answer.errors).flat().join(" "));
  if (response.status < 500 && answer?.errors) throw new Refused(answer.errors, answer.verdicts, answer.address);
  throw new NoAnswer(`The server answered ${response.status}.`);
}

/** Tell the portal that the keystore is safe. Throws like `requestCertificate`. */
export async function confirmSaved({ address, token }) {
  const response = await post(address, token, {});
  if (!response.ok) throw new NoAnswer(`The server answered ${response.status}.`);
}

/**
 * A fresh token against forged requests: signing in again makes the one of the open page worthless.
 * @throws {SignedOut | NoAccess | NoAnswer | NotNow} NotNow where somebody else is signed in who may add certificates, too
 */
export async function freshToken({ address, user }) {
  const response = await ask(address, { headers: { Accept: "text/html" } });
  if (response.type === "opaqueredirect") throw new SignedOut();
  if (response.status === 403 || response.status === 404) throw new NoAccess();
  if (!response.ok) throw new NoAnswer(`The server answered ${response.status}.`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (page.querySelector("[data-user]")?.dataset.user !== user) {
    throw new NotNow("Somebody else is signed in now. Sign in as the person who made this key.");
  }
  return page.querySelector('input[name="csrfmiddlewaretoken"]').value;
}

async function post(address, token, { body, headers = {} }) {
  const response = await ask(address, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": token, ...headers },
    body,
  });
  const json = response.headers.get("Content-Type")?.startsWith("application/json");
  if (response.type === "opaqueredirect") throw new SignedOut();
  // The page of a refused token is HTML; so is that of somebody who is no admin any more.
  if (response.status === 403 && !json) throw new Forbidden();
  if (response.status === 404) throw new NoAccess();
  return response;
}

async function ask(address, options) {
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    return await recordedFetch(address, { redirect: "manual", credentials: "same-origin", cache: "no-store", signal, ...options });
  } catch (failure) {
    throw new NoAnswer("No answer came.", { cause: failure });
  }
}

/** RFC 7578. The names and values are ours and hold neither quotes in names nor the boundary. */
function multipart(fields, boundary) {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return `${parts.join("")}--${boundary}--\r\n`;
}
