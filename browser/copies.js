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
 * @property {number} createdAt milliseconds since 1970, by the server's clock
 * @property {string} [issued] address of the credential, once an answer has named it
 */

const DATABASE = "rehearsal-keys";
const STORE = "copies";
export const KEPT_DAYS = 7;
export const KEPT_MILLISECONDS = KEPT_DAYS * 24 * 60 * 60 * 1000;
/** The longest that opening the database may take, in milliseconds: some browsers never answer. */
const OPENING_PATIENCE = 5000;

/** Keep a new copy. Resolves when it is on disk as far as the browser promises. */
export async function keepCopy(/** @type {Copy} */ copy) {
  await inStore("readwrite", (store) => store.put(copy));
}

/** @returns {Promise<Copy[]>} every copy, the oldest first. */
export async function copies() {
  const found = await inStore("readonly", (store) => store.getAll());
  return found.sort((one, other) => one.createdAt - other.createdAt);
}

/** Whether the copy is still there: another tab can delete it. */
export async function hasCopy(/** @type {string} */ id) {
  return (await inStore("readonly", (store) => store.count(id))) > 0;
}

/** Note in a copy the address of the credential that was issued for it. */
export async function noteIssued(/** @type {string} */ id, /** @type {string} */ issued) {
  await changeCopy(id, { issued });
}

/** Delete a copy; one that is not there is no error. */
export async function forgetCopy(/** @type {string} */ id) {
  await inStore("readwrite", (store) => store.delete(id));
}

/**
 * Delete the copies that are older than 7 days, and those of anybody but `user`. `now` in milliseconds, of the server.
 * No copy is made in the future: one that says so was stamped by a wrong clock, and its 7 days begin now.
 */
export async function purgeCopies({ user, now }) {
  for (const { id, user: owner, createdAt } of await copies()) {
    if (owner !== user || now - createdAt > KEPT_MILLISECONDS) await forgetCopy(id);
    else if (createdAt > now) await changeCopy(id, { createdAt: now });
  }
}

/** Whether this browser keeps copies at all: it is tried with one that nobody else ever sees. */
export async function canKeepCopies() {
  try {
    await inStore("readwrite", (store) => {
      store.put({ id: "trial", user: "", createdAt: 0 });
      return store.delete("trial");
    });
    return true;
  } catch {
    return false;
  }
}

/** Change a copy within one transaction: one that was deleted meanwhile stays deleted. */
async function changeCopy(id, changes) {
  await inStore("readwrite", (store) => {
    const asked = store.get(id);
    asked.onsuccess = () => {
      if (asked.result) store.put({ ...asked.result, ...changes });
    };
    return asked;
  });
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
    let isTooLate = false;
    const timer = setTimeout(() => {
      isTooLate = true;
      reject(new Error("The browser’s storage does not answer."));
    }, OPENING_PATIENCE);
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => {
      clearTimeout(timer);
      if (isTooLate) request.result.close();
      else resolve(request.result);
    };
    request.onerror = request.onblocked = () => reject(request.error ?? new Error("The browser’s storage is blocked."));
  });
}
