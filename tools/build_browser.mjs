/**
 * Bundle the browser's code: `node tools/build_browser.mjs` writes static/js, `… --check` only compares.
 *
 * Each bundle is one file without a source map, with the licences of what it holds at its end. The same sources give
 * the same bytes; `--check` builds in memory and fails where the committed files are not those.
 */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OUTPUT = join(ROOT, "static", "js");
const ENTRIES = { "generate-key": "browser/generate_key.js", "kept-copy": "browser/kept_copy.js" };
// The oldest browsers that know light-dark(), which the style sheets ask for.
const TARGET = ["chrome123", "edge123", "firefox120", "safari17.5"];
// What the content security policy or our own promise forbids: code made from text, and code loaded later.
const FORBIDDEN = [/\beval\s*\(/, /\bFunction\s*\(/, /\bimport\s*\(/, /\bimportScripts\s*\(/, /\bfrom\s*["']https?:/];

/** The bundle of one entry as text. */
async function bundle(entry) {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    target: TARGET,
    minify: true,
    charset: "utf8",
    sourcemap: false,
    legalComments: "none", // In full at the end, from the packages' own files.
    logLevel: "error", // Warnings about our own sources are check_scripts.mjs's part.
  });
  return result.outputFiles[0].text.trimEnd() + "\n" + (await licences(Object.keys(result.metafile.inputs)));
}

/** A comment with the licences of the packages that stand in a bundle, or "". `inputs` are paths from the root. */
async function licences(inputs) {
  const folders = new Set(inputs.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean));
  const texts = await Promise.all([...folders].sort().map(licence));
  return texts.length > 0 ? `/*!\n${texts.join("\n\n")}\n*/\n` : "";
}

async function licence(folder) {
  const { name, version } = JSON.parse(await readFile(join(ROOT, folder, "package.json"), "utf8"));
  const file = (await readdir(join(ROOT, folder))).find((found) => /^licen[cs]e(\.|$)/i.test(found));
  if (file === undefined) throw new Error(`${name} brings no licence; it cannot be bundled.`);
  const text = (await readFile(join(ROOT, folder, file), "utf8")).replaceAll("\r\n", "\n").replaceAll("*/", "* /");
  const lines = text.trim().split("\n").map((line) => line.trimEnd());
  return `${name} ${version}\n\n${lines.join("\n")}`;
}

/** Sentences about a bundle: what it must not hold, and where it differs from the committed one. */
async function problemsOf(path, text) {
  const shown = relative(ROOT, path);
  const found = FORBIDDEN.map((pattern) => pattern.exec(text)?.[0]).filter(Boolean);
  const problems = found.map((code) => `${shown} holds “${code}”: the page’s policy forbids it.`);
  const committed = await readFile(path, "utf8").catch(() => "");
  if (committed !== text) problems.push(`${shown} is not what browser/ gives. Run make bundle and commit it.`);
  return problems;
}

const checking = process.argv.includes("--check");
let problems = [];
for (const [name, entry] of Object.entries(ENTRIES)) {
  const path = join(OUTPUT, `${name}.js`);
  const text = await bundle(entry);
  if (!checking) await writeFile(path, text);
  problems = problems.concat(await problemsOf(path, text));
  console.log(`${relative(ROOT, path)}: ${Math.round(Buffer.byteLength(text) / 1024)} KiB`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
