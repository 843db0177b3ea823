/** Read every script of ours, and fail where esbuild finds an error or has a warning: `node tools/check_scripts.mjs`. */
import { glob } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUNDLES = ["static/js/generate-key.js", "static/js/kept-copy.js"];
const OURS = ["browser/**/*.js", "static/js/*.js", "tools/*.mjs", "tests/**/*.mjs"];

const scripts = (await Array.fromAsync(glob(OURS, { cwd: ROOT }))).filter((path) => !BUNDLES.includes(path)).sort();
const { warnings } = await build({
  absWorkingDir: ROOT,
  entryPoints: scripts,
  outdir: ".", // Nothing is written; two scripts of one name need a folder each.
  outbase: ".",
  write: false,
  format: "esm",
  logLevel: "warning",
});
console.log(`scripts: ${scripts.length} files, ${warnings.length} problems`);
process.exitCode = warnings.length > 0 || scripts.length === 0 ? 1 : 0;
