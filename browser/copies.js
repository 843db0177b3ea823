/**
 * Encrypted copies of keys in this browser, so that a closed tab loses no key: IndexedDB “rehearsal-keys”.
 *
 * A copy holds no secret in clear: the key in it is encrypted with the keystore password, which is kept nowhere.
 *
 * @typedef {object} Copy
 * @property {string} id the submission (UUID) under which the certificate was or will be asked for
 * @property {string} user key of the person who made it
 * @property {string} address path and query of the page where it was made; the request goes there
 * @property {string} place "<project id>/<environment>"
 * @property {string} alias
 * @property {string} keyType one of KEY_TYPES
 * @property {Uint8Array} spki public key, DER SubjectPublicKeyInfo
 * @property {Uint8Array} protectedKey DER EncryptedPrivateKeyInfo
 * @property {string} csr PEM
 * @property {string} commonName what the CSR asks for
 * @property {number} createdAt milliseconds since 1970
 * @property {string} [issued] address of the credential, once an answer has named it
 */

const DATABASE = "rehearsal-keys";
const STORE = "copies";
export const KEPT_DAYS = 7;
export const KEPT_MILLISECONDS = KEPT_DAYS * 24 * 60 * 60 * 1000;

/** Keep a copy, in place of an older state of the same. Resolves when it is on disk as far as the browser promises. */
export async function keepCopy(/** @type {Copy} */ copy) {
  await inStore("readwrite", (store) => store.put(copy));
}

/** @returns {Promise<Copy[]>} every copy, the oldest first. */
export async function copies() {
  const found = await inStore("readonly", (store) => store.getAll());
  return found.sort((one, other) => one.createdAt - other.createdAt);
}

/** Delete a copy; one that is not there is no error. */
export async function forgetCopy(/** @type {string} */ id) {
  await inStore("readwrite", (store) => store.delete(id));
}

/** Delete the copies that are older than 7 days, and those of anybody but `user`. `now` in milliseconds. */
export async function purgeCopies({ user, now }) {
  for (const copy of await copies()) {
    if (copy.user !== user || now - copy.createdAt > KEPT_MILLISECONDS) await forgetCopy(copy.id);
  }
}

/** Whether this browser keeps copies at all: it is tried with a real one. */
export async function canKeepCopies() {
  const id = "trial";
  try {
    await inStore("readwrite", (store) => store.put({ id, user: "", createdAt: 0 }));
    await forgetCopy(id);
    return true;
  } catch {
    return false;
  }
}

/** Run one request in a transaction of its own; resolves with its result when the transaction is complete. */
async function inStore(mode, ask) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode, mode === "readwrite" ? { durability: "strict" } : {});
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("The browser kept nothing."));
    });
  } finally {
    database.close();
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error ?? new Error("The browser’s storage is blocked."));
  });
}
