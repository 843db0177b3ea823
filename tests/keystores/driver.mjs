/**
 * Run the browser's modules outside a browser, on the same WebCrypto: a JSON object {operation, …} per line on stdin,
 * an answer per line on stdout. Bytes are base64.
 */
import { createInterface } from "node:readline";

import { pem, zipOf } from "../../browser/files.js";
import { exportSpki, generateKeyPair, signRequest } from "../../browser/keys.js";
import { buildKeystore, localKeyId, samePublicKey } from "../../browser/keystore.js";
import { problemOf, strengthOf, suggestPassword } from "../../browser/password.js";
import { checkPassword, protectKey } from "../../browser/protection.js";

const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const base64 = (array) => Buffer.from(array).toString("base64");

const OPERATIONS = {
  async make({ keyType, subject, password }) {
    const keyPair = await generateKeyPair(keyType);
    const made = {
      spki: await exportSpki(keyPair.publicKey),
      csr: await signRequest(keyPair, subject),
      protectedKey: await protectKey(keyPair.privateKey, password),
    };
    return Object.fromEntries(Object.entries(made).map(([name, value]) => [name, base64(value)]));
  },
  async signMany({ keyType, count }) {
    const keyPair = await generateKeyPair(keyType);
    const requests = [];
    for (let signed = 0; signed < count; signed += 1) requests.push(base64(await signRequest(keyPair, [["CN", "x"]])));
    return requests;
  },
  async build({ protectedKey, spki, certificates, alias, password }) {
    const parts = { protectedKey: bytes(protectedKey), spki: bytes(spki), certificates: certificates.map(bytes) };
    return base64(await buildKeystore({ ...parts, alias, password }));
  },
  async check({ protectedKey, passwords, keyType, spki }) {
    const outcomes = [];
    for (const password of passwords) {
      const checked = checkPassword(bytes(protectedKey), password, keyType, bytes(spki));
      outcomes.push(await checked.then(() => "right", (failure) => failure.constructor.name));
    }
    return outcomes;
  },
  localKeyId: async ({ spki }) => base64(await localKeyId(bytes(spki))),
  samePublicKey: ({ certificate, spki }) => samePublicKey(bytes(certificate), bytes(spki)),
  pem: ({ label, der }) => pem(label, bytes(der)),
  zip({ files }) {
    const contents = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, bytes(content)]));
    return base64(zipOf(contents));
  },
  problem: ({ password }) => problemOf(password),
  strength: ({ password, words }) => strengthOf(password, words),
  suggest: ({ count }) => Array.from({ length: count }, suggestPassword),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { operation, ...values } = JSON.parse(line);
  let answer;
  try {
    answer = { value: await OPERATIONS[operation](values) };
  } catch (failure) {
    answer = { failure: `${failure.name}: ${failure.message}` };
  }
  console.log(JSON.stringify(answer));
}
