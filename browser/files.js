/** Files for the user: PEM, ZIP, and the download. */
import { zipSync } from "fflate";

const PEM_LINE = 64;
// The same files give the same bytes. A ZIP cannot say when before 1980; its times have no zone.
const MODIFIED = new Date(1980, 0, 1);
const UNIX = 3;
const ONLY_THE_OWNER = 0o100600 << 16;
const REVOKE_MILLISECONDS = 60_000;

/** @returns {string} PEM (RFC 7468) with a line break at its end */
export function pem(/** @type {string} */ label, /** @type {Uint8Array} */ der) {
  const base64 = btoa(Array.from(der, (byte) => String.fromCharCode(byte)).join(""));
  const lines = base64.match(new RegExp(`.{1,${PEM_LINE}}`, "g")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/**
 * A ZIP of files that only their owner may read when they are unpacked.
 * @param {Record<string, Uint8Array>} files names and contents, in the order of the archive
 * @returns {Uint8Array}
 */
export function zipOf(files) {
  return zipSync(files, { level: 9, mtime: MODIFIED, os: UNIX, attrs: ONLY_THE_OWNER });
}

/** Let the browser save bytes under a name, as if a link to a file had been followed. */
export function offerDownload(/** @type {string} */ name, /** @type {Uint8Array} */ bytes, /** @type {string} */ type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
  link.click();
  // The browser reads the bytes after the click, some of them only once the user has chosen a folder.
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_MILLISECONDS);
}
