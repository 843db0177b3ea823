/** DER for the other modules: from schema objects of PKI.js and asn1js to bytes, and bytes as schema objects. */
import { BitString, OctetString } from "asn1js";

/** @returns {Uint8Array} the DER of an asn1js object */
export function encode(schema) {
  return new Uint8Array(schema.toBER(false));
}

/** An OCTET STRING of bytes. */
export function octetString(/** @type {BufferSource} */ bytes) {
  return new OctetString({ valueHex: new Uint8Array(bytes).slice().buffer });
}

/** A BIT STRING of whole bytes. */
export function bitString(/** @type {BufferSource} */ bytes) {
  return new BitString({ valueHex: new Uint8Array(bytes).slice().buffer });
}

/** Below, at or above 0, as one array of bytes stands before, is, or stands after the other. DER sorts a SET OF so. */
export function compareBytes(/** @type {Uint8Array} */ one, /** @type {Uint8Array} */ other) {
  const shared = Math.min(one.length, other.length);
  for (let index = 0; index < shared; index += 1) {
    if (one[index] !== other[index]) return one[index] - other[index];
  }
  return one.length - other.length;
}
