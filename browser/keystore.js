/**
 * PKCS#12 keystores (RFC 7292) with parameters that every program of our users reads.
 *
 * The certificates are encrypted, the key is the EncryptedPrivateKeyInfo that was given, and one HMAC covers both.
 */
import { BmpString, Null } from "asn1js";
import {
  AlgorithmIdentifier,
  Attribute,
  AuthenticatedSafe,
  CertBag,
  Certificate,
  ContentInfo,
  DigestInfo,
  EncryptedContentInfo,
  EncryptedData,
  MacData,
  PFX,
  PKCS8ShroudedKeyBag,
  SafeBag,
  SafeContents,
  getCrypto,
} from "pkijs";

import { compareBytes, encode, octetString } from "./der.js";
import { ITERATIONS, encryptBytes } from "./protection.js";

const MAC_SALT_BYTES = 20;
const LOCAL_KEY_ID_BYTES = 20;
const OIDS = {
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  certBag: "1.2.840.113549.1.12.10.1.3",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  localKeyId: "1.2.840.113549.1.9.21",
  sha256: "2.16.840.1.101.3.4.2.1",
};

/**
 * Build a keystore.
 * @param {object} parts
 * @param {Uint8Array} parts.protectedKey DER EncryptedPrivateKeyInfo, encrypted with the same password
 * @param {Uint8Array} parts.spki DER SubjectPublicKeyInfo of the key
 * @param {Uint8Array[]} parts.certificates DER, in this order: leaf, issuing CA, …, root
 * @param {string} parts.alias
 * @param {string} parts.password printable ASCII
 * @returns {Promise<Uint8Array>} DER PFX
 */
export async function buildKeystore({ protectedKey, spki, certificates, alias, password }) {
  const attributes = namingAttributes(alias, await localKeyId(spki));
  const [leaf, ...authorities] = certificates;
  // Only the pair is named: Apple leaves out all certificates but one of those that share a localKeyID.
  const bags = [certificateBag(leaf, attributes), ...authorities.map((authority) => certificateBag(authority))];
  const key = new SafeBag({
    bagId: OIDS.shroudedKeyBag,
    bagValue: PKCS8ShroudedKeyBag.fromBER(protectedKey),
    bagAttributes: attributes,
  });
  const safe = new AuthenticatedSafe({
    safeContents: [await encryptedContent(bags, password), plainContent(encode(contentsOf([key])))],
  });
  const content = encode(safe.toSchema());
  const macData = await macOf(content, password);
  return encode(new PFX({ version: 3, authSafe: plainContent(content), macData }).toSchema());
}

/** What ties key and certificate together: the first 20 bytes of the public key's SHA-256. */
export async function localKeyId(/** @type {Uint8Array} */ spki) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", spki)).slice(0, LOCAL_KEY_ID_BYTES);
}

/**
 * Whether a certificate is for this public key. What is no certificate is for none.
 * @param {Uint8Array} certificateDer
 * @param {Uint8Array} spki DER SubjectPublicKeyInfo
 */
export function samePublicKey(certificateDer, spki) {
  let certificate;
  try {
    certificate = Certificate.fromBER(certificateDer);
  } catch {
    return false; // PKI.js throws errors of many kinds for what it cannot read.
  }
  return compareBytes(encode(certificate.subjectPublicKeyInfo.toSchema()), spki) === 0;
}

function namingAttributes(alias, keyId) {
  const attributes = [
    new Attribute({ type: OIDS.friendlyName, values: [new BmpString({ value: alias })] }),
    new Attribute({ type: OIDS.localKeyId, values: [octetString(keyId)] }),
  ];
  return attributes.sort((one, other) => compareBytes(encode(one.toSchema()), encode(other.toSchema())));
}

function certificateBag(der, attributes) {
  const bagValue = new CertBag({ certId: OIDS.x509Certificate, certValue: octetString(der) });
  return new SafeBag({ bagId: OIDS.certBag, bagValue, ...(attributes && { bagAttributes: attributes }) });
}

function contentsOf(safeBags) {
  return new SafeContents({ safeBags }).toSchema();
}

function plainContent(bytes) {
  return new ContentInfo({ contentType: ContentInfo.DATA, content: octetString(bytes) });
}

async function encryptedContent(bags, password) {
  const { algorithm, encrypted } = await encryptBytes(encode(contentsOf(bags)), password);
  const data = new EncryptedData({
    version: 0,
    encryptedContentInfo: new EncryptedContentInfo({
      contentType: ContentInfo.DATA,
      contentEncryptionAlgorithm: algorithm,
      encryptedContent: octetString(encrypted),
      disableSplit: true, // One string: DER has no strings in pieces.
    }),
  });
  return new ContentInfo({ contentType: ContentInfo.ENCRYPTED_DATA, content: data.toSchema() });
}

/** RFC 7292, appendix B: HMAC-SHA-256. WebCrypto lacks its key derivation; PKI.js does it in one go, in about 0.3 s. */
async function macOf(content, password) {
  const salt = crypto.getRandomValues(new Uint8Array(MAC_SALT_BYTES));
  const digest = await getCrypto(true).stampDataWithPassword({
    password: new TextEncoder().encode(password).slice().buffer,
    hashAlgorithm: "SHA-256",
    salt: salt.buffer,
    iterationCount: ITERATIONS,
    contentToStamp: content.buffer,
  });
  return new MacData({
    mac: new DigestInfo({
      digestAlgorithm: new AlgorithmIdentifier({ algorithmId: OIDS.sha256, algorithmParams: new Null() }),
      digest: octetString(digest),
    }),
    macSalt: octetString(salt),
    iterations: ITERATIONS,
  });
}
