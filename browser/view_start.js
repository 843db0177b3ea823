/** Whether the page can make keys here, and the sentence where it cannot. */
import { canKeepCopies } from "./copies.js";
import { element } from "./view.js";

/**
 * Show that the script runs, and why no key can be made, if so.
 * @returns {Promise<boolean>} whether everything is there: a secure context, WebCrypto, and storage.
 */
export async function canMakeKeys() {
  element("not-started").remove();
  const why = await reasonAgainst();
  if (!why) return true;
  const alert = element("cannot");
  if (why === "insecure") nameSecureAddress(alert);
  alert.querySelector(`[data-why="${why}"]`).hidden = false;
  alert.hidden = false;
  return false;
}

/** A browser that keeps nothing is refused: no CSR may leave before a copy of its key is safe. */
async function reasonAgainst() {
  if (!window.isSecureContext) return "insecure";
  if (!globalThis.crypto?.subtle) return "crypto";
  return (await canKeepCopies()) ? "" : "storage";
}

function nameSecureAddress(alert) {
  const secure = new URL(location.href);
  secure.protocol = "https:";
  alert.querySelector("[data-origin]").textContent = location.origin;
  const link = alert.querySelector("[data-secure-address]");
  link.href = secure.href;
  link.textContent = secure.origin;
}
