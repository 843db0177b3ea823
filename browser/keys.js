/** Key pairs and certificate signing requests (PKCS#10), by WebCrypto and PKI.js. */
import { Null, PrintableString, Sequence, Set as SetOf, Utf8String } from "asn1js";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  CertificationRequest,
  PublicKeyInfo,
  RelativeDistinguishedNames,
  createCMSECDSASignature,
} from "pkijs";

import { bitString, encode } from "./der.js";

/** The key types of the page and the WebCrypto algorithm of each. */
export const KEY_TYPES = {
  "rsa-2048": rsa(2048),
  "rsa-3072": rsa(3072),
  "rsa-4096": rsa(4096),
  "ec-p256": { name: "ECDSA", namedCurve: "P-256" },
  "ec-p384": { name: "ECDSA", namedCurve: "P-384" },
};

/** What a key of each algorithm or curve signs with: the parameters of WebCrypto, and their object identifier. */
const SIGNATURES = {
  "RSASSA-PKCS1-v1_5": { parameters: { name: "RSASSA-PKCS1-v1_5" }, oid: "1.2.840.113549.1.1.11" },
  "P-256": { parameters: { name: "ECDSA", hash: "SHA-256" }, oid: "1.2.840.10045.4.3.2" },
  "P-384": { parameters: { name: "ECDSA", hash: "SHA-384" }, oid: "1.2.840.10045.4.3.3" },
};

const ATTRIBUTE_TYPES = { C: "2.5.4.6", O: "2.5.4.10", OU: "2.5.4.11", CN: "2.5.4.3" };

function rsa(modulusLength) {
  return { name: "RSASSA-PKCS1-v1_5", modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
}

/**
 * Make a key pair. It is extractable, because a key that is not can be wrapped by no password either.
 * @param {string} keyType one of KEY_TYPES
 * @returns {Promise<CryptoKeyPair>}
 */
export function generateKeyPair(keyType) {
  return crypto.subtle.generateKey(algorithmOf(keyType), true, ["sign", "verify"]);
}

/** The WebCrypto algorithm of a key type; a RangeError for a type that is none of KEY_TYPES. */
export function algorithmOf(/** @type {string} */ keyType) {
  if (!Object.hasOwn(KEY_TYPES, keyType)) throw new RangeError(`${keyType} is no key type.`);
  return KEY_TYPES[keyType];
}

/** The parameters with which WebCrypto signs and verifies by this key, for every hash that we use. */
export function signatureParameters(/** @type {CryptoKey} */ key) {
  return signatureOf(key).parameters;
}

/** @returns {Promise<Uint8Array>} DER SubjectPublicKeyInfo */
export async function exportSpki(/** @type {CryptoKey} */ publicKey) {
  return new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
}

/**
 * Sign a request for a certificate. It asks for no extension: the portal's profile sets them all.
 * @param {CryptoKeyPair} keyPair
 * @param {[string, string][]} subject labels (C, O, OU or CN) and values, in the order of the name
 * @returns {Promise<Uint8Array>} DER CertificationRequest
 */
export async function signRequest(keyPair, subject) {
  const request = new CertificationRequest({
    version: 0,
    subject: nameOf(subject),
    subjectPublicKeyInfo: PublicKeyInfo.fromBER(await exportSpki(keyPair.publicKey)),
    attributes: [], // RFC 2986, 4.1: the field has no default, so that it stands there also when it is empty.
  });
  const { parameters, oid } = signatureOf(keyPair.privateKey);
  const toBeSigned = encode(request.encodeTBS());
  const signature = await crypto.subtle.sign(parameters, keyPair.privateKey, toBeSigned);
  const isRsa = parameters.name !== "ECDSA";
  request.tbsView = toBeSigned;
  // RFC 4055, 5: NULL stands there for RSA. RFC 5758, 3.2: no parameters for ECDSA.
  const algorithmParams = isRsa ? { algorithmParams: new Null() } : {};
  request.signatureAlgorithm = new AlgorithmIdentifier({ algorithmId: oid, ...algorithmParams });
  request.signatureValue = bitString(isRsa ? signature : createCMSECDSASignature(signature));
  return encode(request.toSchema());
}

function signatureOf(key) {
  return SIGNATURES[key.algorithm.namedCurve ?? key.algorithm.name];
}

/** A name with each attribute in a set of its own. PKI.js would put all of them into one, and takes a name encoded. */
function nameOf(subject) {
  const name = new Sequence({ value: subject.map((pair) => new SetOf({ value: [attribute(pair).toSchema()] })) });
  return new RelativeDistinguishedNames({ valueBeforeDecode: encode(name).buffer });
}

/** RFC 5280, 4.1.2.4: UTF8String; the country is a PrintableString (A.1). */
function attribute([label, value]) {
  if (!Object.hasOwn(ATTRIBUTE_TYPES, label)) throw new RangeError(`${label} stands in no subject of ours.`);
  const encoded = label === "C" ? new PrintableString({ value }) : new Utf8String({ value });
  return new AttributeTypeAndValue({ type: ATTRIBUTE_TYPES[label], value: encoded });
}
