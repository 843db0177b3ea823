/** Keys that wait in this browser: `Finish <alias>` for each, and the question before one is discarded. */
import { KEPT_MILLISECONDS, forgetCopy } from "./copies.js";
import { dayInWords, element, fieldError, fill, fromTemplate, link } from "./view.js";

/**
 * Offer the copies of this place for finishing, and lead to the pages of the others. Each can be discarded.
 *
 * @param {object} what
 * @param {import("./copies.js").Copy[]} what.copies
 * @param {string} what.place "<project id>/<environment>"
 * @param {Record<string, string>} what.ended why a keystore would be of no use, by the copy's id
 * @param {(copy: import("./copies.js").Copy, password: string) => Promise<string>} what.finish
 *   answers with what is wrong with the password, or "" where it goes on
 */
export function offerKept({ copies, place, ended, finish }) {
  const parts = copies.map((copy) => {
    if (ended[copy.id]) return notice("ended-template", copy, ended[copy.id]);
    return copy.place === place ? card(copy, finish) : notice("elsewhere-template", copy);
  });
  element("kept").replaceChildren(...parts);
  hideWhenEmpty();
}

/** Say in place of a copy's card that another tab has deleted the copy. */
export function showGone(/** @type {import("./copies.js").Copy} */ copy) {
  const part = fromTemplate("gone-template");
  fill(part, "[data-alias]", copy.alias);
  element(`kept-${copy.id}`).closest("section").replaceWith(part);
  part.focus();
}

/** Show the offers, or not: while something runs and when something is finished there is nothing to choose. */
export function showKept(/** @type {boolean} */ shown) {
  element("kept").hidden = !shown || element("kept").childElementCount === 0;
}

function card(copy, finish) {
  const part = fromTemplate("kept-template");
  const [title, label, input] = ["h2", "label", "input"].map((name) => part.querySelector(name));
  fill(part, "[data-alias]", copy.alias);
  fill(part, "[data-made]", `on ${dayInWords(copy.createdAt)}`);
  fill(part, "[data-kept-until]", dayInWords(copy.createdAt + KEPT_MILLISECONDS));
  title.id = `kept-${copy.id}`;
  part.setAttribute("aria-labelledby", title.id);
  input.id = label.htmlFor = `password-${copy.id}`;
  let isBusy = false;
  part.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    try {
      const problem = input.value === "" ? "Type the password that you gave for this keystore." : await finish(copy, input.value);
      fieldError(input, problem);
      if (problem) input.select();
      else input.value = "";
    } finally {
      isBusy = false;
    }
  });
  letDiscard(copy, part);
  return part;
}

/** A copy that cannot be finished here: it belongs to another page, or its certificate has ended. */
function notice(template, copy, ended = "") {
  const part = fromTemplate(template);
  fill(part, "[data-alias]", copy.alias);
  fill(part, "[data-ended]", ended);
  link(part, "[data-there]", copy.address);
  letDiscard(copy, part, ended);
  return part;
}

function letDiscard(copy, part, ended = "") {
  const remove = () => {
    part.remove();
    hideWhenEmpty();
    element("alias").focus();
  };
  part.querySelector("[data-discard]").addEventListener("click", () => askToDiscard(copy, remove, ended));
}

/**
 * Ask before a copy is deleted.
 * @param {import("./copies.js").Copy} copy
 * @param {() => void} act what to do once it is deleted
 * @param {string} ended why its keystore would be of no use, if that is known
 */
export function askToDiscard(copy, act, ended = "") {
  const dialog = element("discard");
  const state = ended ? "ended" : copy.issued ? "issued" : "unknown";
  fill(dialog, "[data-alias]", copy.alias);
  fill(dialog, "[data-why-ended]", ended);
  link(dialog, "[data-list]", listOf(copy));
  link(dialog, "[data-credential]", copy.issued ?? "");
  for (const part of dialog.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state;
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "discard") return;
    await forgetCopy(copy.id);
    act();
  };
  dialog.showModal();
}

/** The list of certificates where the copy was made: two steps above the page that made it. */
function listOf(copy) {
  return new URL("../..", new URL(copy.address, location.href)).pathname;
}

function hideWhenEmpty() {
  showKept(true);
}
