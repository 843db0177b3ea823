/** What came of it: the finished keystore with its files and commands, the end of it, or an interruption. */
import { offerDownload, pem, zipOf } from "./files.js";
import { element, fill, fromTemplate, link, showPart, sizeInWords } from "./view.js";
import { showTraffic } from "./view_traffic.js";

const PKCS12 = "application/x-pkcs12";
const ZIP = "application/zip";
const encoder = new TextEncoder();

/**
 * Show the keystore and let it download by itself.
 *
 * @param {object} finished
 * @param {object} finished.result of `finishCertificate`
 * @param {import("./copies.js").Copy} finished.copy
 * @param {() => Promise<void>} finished.confirm what the button “The keystore is saved …” does; it throws a sentence
 *   and, as `isFinal`, whether pressing it again is of no use
 * @param {() => void} finished.discard what is offered where it is of no use
 */
export function showFinished({ result, copy, confirm, discard }) {
  const { credential, usage } = result.answer;
  const name = credential.file_name;
  const offer = () => offerDownload(`${name}.p12`, result.keystore, PKCS12);
  nameCredential(element("finished"), credential);
  fill(element("finished"), "[data-until]", credential.valid_until);
  element("valid-until").textContent = credential.valid_until;
  element("subject-tense").textContent = "was";
  element("keystore-name").textContent = `${name}.p12`;
  element("keystore-size").textContent = sizeInWords(result.keystore.length);
  element("download-keystore").onclick = offer;
  offerZip({ name, certificates: result.certificates, protectedKey: copy.protectedKey });
  element("confirm-saved").onclick = () => confirmSaved(confirm);
  element("confirm-discard").onclick = discard;
  showUsage(usage);
  showTraffic(credential.alias);
  showPart("finished");
  element("finished-title").focus();
  offer();
}

/** Say that the certificate ended before its keystore was built. */
export function showEnded(/** @type {object} */ credential) {
  nameCredential(element("ended"), credential);
  element("ended-text").textContent = credential.ended;
  showTraffic(credential.alias);
  showPart("ended");
  element("ended-title").focus();
}

/**
 * Say why it did not go on, and what can be done. The copy of the key is still there.
 * @param {{title: string, text: string, alias: string, signIn: boolean, again: () => void, discard: (() => void) | null}}
 *   interruption
 */
export function showInterrupted({ title, text, alias, signIn, again, discard }) {
  fill(element("interrupted"), "[data-alias]", alias);
  element("interrupted-title").textContent = title;
  element("interrupted-text").textContent = text;
  element("sign-in-again").hidden = !signIn;
  element("try-again").classList.toggle("primary", !signIn);
  element("try-again").onclick = again;
  element("discard-interrupted").hidden = discard === null;
  element("discard-interrupted").onclick = discard;
  showTraffic(alias);
  showPart("interrupted");
  element("interrupted-title").focus();
}

function nameCredential(part, { alias, url, list_url: list }) {
  fill(part, "[data-alias]", alias);
  link(part, "[data-credential]", url);
  link(part, "[data-list]", list);
}

function offerZip({ name, certificates, protectedKey }) {
  const signing = `${name}-signing.crt`;
  const key = `${name}-private-key.key`;
  element("zip-name").textContent = `${name}.zip`;
  element("signing-name").textContent = signing;
  element("key-name").textContent = key;
  element("download-zip").onclick = () => {
    const files = {
      [signing]: encoder.encode(certificates.map((der) => pem("CERTIFICATE", der)).join("")),
      [key]: encoder.encode(pem("ENCRYPTED PRIVATE KEY", protectedKey)),
    };
    offerDownload(`${name}.zip`, zipOf(files), ZIP);
  };
}

/** The downloads go only when the portal has noted it and the copy is gone. */
async function confirmSaved(confirm) {
  const error = element("confirm-error");
  error.hidden = element("confirm-discard").hidden = true;
  try {
    await confirm();
  } catch (failure) {
    fill(error, "span", failure.message);
    error.hidden = false;
    element("confirm-discard").hidden = !failure.isFinal;
    return;
  }
  showConfirmed();
}

/** The copy is gone, and the downloads with it. */
export function showConfirmed() {
  for (const id of ["files", "confirm"]) element(id).hidden = true;
  element("confirmed").hidden = false;
  element("confirmed-text").focus();
}

/** The same tabs as elsewhere on the site: a radio button for each program, and the panel at the same place. */
function showUsage(lines) {
  const card = element("usage");
  const tabs = card.querySelector(".tabs");
  const bar = tabs.querySelector("fieldset");
  for (const old of tabs.querySelectorAll("label, .panel")) old.remove();
  for (const { label, text, mark } of lines) {
    const choice = fromTemplate("tab-template");
    fill(choice, "span", label);
    choice.querySelector("input").checked = bar.querySelector("input") === null;
    bar.append(choice);
    const panel = fromTemplate("panel-template");
    fill(panel, "h3", label);
    panel.querySelector("pre").append(...marked(text, mark));
    const copy = panel.querySelector("button");
    copy.dataset.copy = text;
    copy.dataset.copyName = `the ${label} command`;
    copy.setAttribute("aria-label", `Copy the ${label} command`);
    tabs.append(panel);
  }
  card.hidden = lines.length === 0;
}

/** The text with every `mark` set off. */
function marked(text, mark) {
  if (!mark) return [text];
  return text.split(mark).flatMap((piece, index) => {
    if (index === 0) return [piece];
    const set = document.createElement("mark");
    set.textContent = mark;
    return [set, piece];
  });
}
