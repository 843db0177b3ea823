/**
 * From a click to a keystore, without a page: generate, sign, protect, keep a copy, request, compare, build.
 *
 * `onStep(name)` is awaited before each step, so that the page can paint its name before a step that blocks it.
 */
import { forgetCopy, keepCopy, noteIssued } from "./copies.js";
import { pem } from "./files.js";
import { exportSpki, generateKeyPair, signRequest } from "./keys.js";
import { buildKeystore, samePublicKey } from "./keystore.js";
import { Refused } from "./portal.js";
import { protectKey } from "./protection.js";

export const STEPS = ["Generating key", "Signing request", "Protecting key", "Requesting certificate", "Building keystore"];

/** The certificate that came back is not for the key that was made here. */
export class WrongCertificate extends Error {}

/** The browser refused to keep the encrypted key, so nothing was sent. */
export class NotKept extends Error {}

/**
 * Make a key and its encrypted copy, which is kept before anything is sent.
 *
 * @param {object} wanted
 * @param {string} wanted.alias
 * @param {string} wanted.password
 * @param {string} wanted.keyType one of KEY_TYPES
 * @param {[string, string][]} wanted.subject labels (C, O, OU, CN) and values
 * @param {{user: string, address: string, place: string, createdAt: number}} wanted.page createdAt: now, by the server
 * @param {(name: string) => Promise<void>} wanted.onStep
 * @returns {Promise<import("./copies.js").Copy>}
 * @throws {NotKept}
 */
export async function createCopy({ alias, password, keyType, subject, page, onStep }) {
  await onStep("Generating key");
  const keyPair = await generateKeyPair(keyType);
  await onStep("Signing request");
  const spki = await exportSpki(keyPair.publicKey);
  const csr = pem("CERTIFICATE REQUEST", await signRequest(keyPair, subject));
  await onStep("Protecting key");
  const protectedKey = await protectKey(keyPair.privateKey, password);
  const [, commonName] = subject.find(([label]) => label === "CN");
  const id = crypto.randomUUID();
  const copy = { id, ...page, alias, keyType, spki, protectedKey, csr, commonName };
  try {
    await keepCopy(copy);
  } catch (failure) {
    throw new NotKept("This browser did not keep the encrypted key.", { cause: failure });
  }
  return copy;
}

/**
 * Ask for the certificate of a kept copy and build its keystore. The password must have been checked against the copy.
 * Repeating it is harmless: the portal answers with the same certificate.
 *
 * @param {object} wanted
 * @param {import("./copies.js").Copy} wanted.copy
 * @param {string} wanted.password
 * @param {(fields: {address: string, alias: string, submission: string, csr: string}) => Promise<object>} wanted.request
 *   asks the portal and answers or throws as `requestCertificate` does
 * @param {(name: string) => Promise<void>} wanted.onStep
 * @returns {Promise<{answer: object, certificates: Uint8Array[], keystore: Uint8Array | null}>}
 *   keystore is null for a credential that has ended: it would be of no use
 * @throws {Refused | WrongCertificate | Error} and whatever else `request` throws.
 *   After Refused the copy is gone, for nothing was issued; after everything else it is still there.
 */
export async function finishCertificate({ copy, password, request, onStep }) {
  await onStep("Requesting certificate");
  const { id, address, alias, csr, spki, protectedKey } = copy;
  const answer = await request({ address, alias, submission: id, csr }).catch(async (failure) => {
    if (failure instanceof Refused) await forgetCopy(id);
    throw failure;
  });
  const certificates = answer.certificates.map(bytesOf);
  if (!samePublicKey(certificates[0], spki)) throw new WrongCertificate();
  // Noted for the question before a copy is discarded; that it is noted is not worth failing for.
  await noteIssued(id, answer.credential.url).catch(() => undefined);
  if (answer.credential.ended) return { answer, certificates, keystore: null };
  await onStep("Building keystore");
  const keystore = await buildKeystore({ protectedKey, spki, certificates, alias: answer.credential.alias, password });
  return { answer, certificates, keystore };
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
