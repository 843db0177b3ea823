/** Whether the page can make keys here, and the sentence where it cannot. */
import { canKeepCopies } from "./copies.js";
import { element, fill } from "./view.js";

/**
 * Show that the script runs, and why no key can be made, if so.
 * @returns {Promise<boolean>} whether everything is there: a secure context, WebCrypto, and storage.
 */
export async function canMakeKeys() {
  element("not-started").remove();
  const why = await reasonAgainst();
  if (why) showReason(why);
  return !why;
}

/** Say why no key can be made: "insecure", "crypto" or "storage". */
export function showReason(/** @type {string} */ why) {
  const alert = element("cannot");
  fill(alert, "[data-origin]", location.origin);
  alert.querySelector(`[data-why="${why}"]`).hidden = false;
  alert.hidden = false;
}

/** A browser that keeps nothing is refused: no CSR may leave before a copy of its key is safe. */
async function reasonAgainst() {
  if (!window.isSecureContext) return "insecure";
  if (!globalThis.crypto?.subtle) return "crypto";
  return (await canKeepCopies()) ? "" : "storage";
}
