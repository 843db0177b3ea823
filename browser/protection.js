/**
 * Encryption with the keystore password (PBES2 of RFC 8018): of the private key, and of what stands beside it.
 *
 * The key becomes its encrypted form inside WebCrypto: its bytes never stand in this page's memory.
 */
import { Null } from "asn1js";
import { AlgorithmIdentifier, PBES2Params, PBKDF2Params, PKCS8ShroudedKeyBag } from "pkijs";

import { encode, octetString } from "./der.js";
import { algorithmOf, signatureParameters } from "./keys.js";

/** Rounds of each derivation. .NET refuses a keystore with more than 600,000 in all. */
export const ITERATIONS = 100_000;
const SALT_BYTES = 16;
const IV_BYTES = 16;
const OIDS = {
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  hmacWithSha256: "1.2.840.113549.2.9",
  aes256Cbc: "2.16.840.1.101.3.4.1.42",
};

/** The password does not open the key. */
export class WrongPassword extends Error {}

/** The key is another than the one that was to be found. */
export class WrongKey extends Error {}

/**
 * Encrypt a private key.
 * @param {CryptoKey} privateKey extractable
 * @param {string} password
 * @returns {Promise<Uint8Array>} DER EncryptedPrivateKeyInfo
 */
export async function protectKey(privateKey, password) {
  const parameters = freshParameters();
  const wrappingKey = await deriveKey(password, parameters, "wrapKey");
  const encrypted = await crypto.subtle.wrapKey("pkcs8", privateKey, wrappingKey, cipherOf(parameters));
  const encryptionAlgorithm = algorithmIdentifier(parameters);
  return encode(new PKCS8ShroudedKeyBag({ encryptionAlgorithm, encryptedData: octetString(encrypted) }).toSchema());
}

/**
 * Encrypt bytes.
 * @param {Uint8Array} bytes
 * @param {string} password
 * @returns {Promise<{algorithm: AlgorithmIdentifier, encrypted: Uint8Array}>}
 */
export async function encryptBytes(bytes, password) {
  const parameters = freshParameters();
  const key = await deriveKey(password, parameters, "encrypt");
  const encrypted = await crypto.subtle.encrypt(cipherOf(parameters), key, bytes);
  return { algorithm: algorithmIdentifier(parameters), encrypted: new Uint8Array(encrypted) };
}

/**
 * See that a password opens an encrypted key, and that it is the key of this public key.
 * @param {Uint8Array} protectedKey of `protectKey`
 * @param {string} password
 * @param {string} keyType one of KEY_TYPES
 * @param {Uint8Array} spki DER SubjectPublicKeyInfo
 * @throws {WrongPassword | WrongKey}
 */
export async function checkPassword(protectedKey, password, keyType, spki) {
  const bag = PKCS8ShroudedKeyBag.fromBER(protectedKey);
  const parameters = parametersOf(bag.encryptionAlgorithm);
  const encrypted = bag.encryptedData.getValue();
  const unwrappingKey = await deriveKey(password, parameters, "unwrapKey");
  const algorithm = algorithmOf(keyType);
  const privateKey = await crypto.subtle
    .unwrapKey("pkcs8", encrypted, unwrappingKey, cipherOf(parameters), algorithm, false, ["sign"])
    .catch((failure) => {
      // Once in 256 tries a wrong password gives a right padding; then what it decrypts to is no key.
      throw new WrongPassword("The password does not open the key.", { cause: failure });
    });
  const publicKey = await crypto.subtle.importKey("spki", spki, algorithm, false, ["verify"]).catch(() => null);
  if (publicKey === null || !(await arePair(privateKey, publicKey))) {
    throw new WrongKey("The encrypted key is not that of the public key.");
  }
}

async function arePair(privateKey, publicKey) {
  const message = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(signatureParameters(privateKey), privateKey, message);
  return crypto.subtle.verify(signatureParameters(publicKey), publicKey, signature, message);
}

function freshParameters() {
  return {
    salt: crypto.getRandomValues(new Uint8Array(SALT_BYTES)),
    iterations: ITERATIONS,
    iv: crypto.getRandomValues(new Uint8Array(IV_BYTES)),
  };
}

function cipherOf({ iv }) {
  return { name: "AES-CBC", iv };
}

async function deriveKey(password, { salt, iterations }, usage) {
  const secret = new TextEncoder().encode(password);
  const material = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveKey"]);
  secret.fill(0);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return crypto.subtle.deriveKey(derivation, material, { name: "AES-CBC", length: 256 }, false, [usage]);
}

/** PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC. keyLength is left out: the cipher says it. */
function algorithmIdentifier({ salt, iterations, iv }) {
  const prf = new AlgorithmIdentifier({ algorithmId: OIDS.hmacWithSha256, algorithmParams: new Null() });
  const derivation = new PBKDF2Params({ salt: octetString(salt), iterationCount: iterations, prf });
  const pbes2 = new PBES2Params({
    keyDerivationFunc: new AlgorithmIdentifier({ algorithmId: OIDS.pbkdf2, algorithmParams: derivation.toSchema() }),
    encryptionScheme: new AlgorithmIdentifier({ algorithmId: OIDS.aes256Cbc, algorithmParams: octetString(iv) }),
  });
  return new AlgorithmIdentifier({ algorithmId: OIDS.pbes2, algorithmParams: pbes2.toSchema() });
}

/** The parameters of a key that `protectKey` encrypted. */
function parametersOf(algorithm) {
  const pbes2 = new PBES2Params({ schema: algorithm.algorithmParams });
  const derivation = new PBKDF2Params({ schema: pbes2.keyDerivationFunc.algorithmParams });
  return {
    salt: new Uint8Array(derivation.salt.getValue()),
    iterations: derivation.iterationCount,
    iv: new Uint8Array(pbes2.encryptionScheme.algorithmParams.getValue()),
  };
}
