/** Keys that wait in this browser: `Finish <alias>` for each, and the question before one is discarded. */
import { KEPT_MILLISECONDS, forgetCopy } from "./copies.js";
import { dayInWords, element, fieldError, fill, fromTemplate, link } from "./view.js";

/**
 * Offer the copies of this place for finishing, and lead to the pages of the others.
 *
 * @param {object} what
 * @param {import("./copies.js").Copy[]} what.copies
 * @param {string} what.place "<project id>/<environment>"
 * @param {(copy: import("./copies.js").Copy, password: string) => Promise<string>} what.finish
 *   answers with what is wrong with the password, or "" where it goes on
 */
export function offerKept({ copies, place, finish }) {
  const parts = copies.map((copy) => (copy.place === place ? card(copy, finish) : elsewhere(copy)));
  element("kept").replaceChildren(...parts);
  hideWhenEmpty();
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
    } finally {
      isBusy = false;
    }
  });
  part.querySelector("[data-discard]").addEventListener("click", () => askToDiscard(copy, part));
  return part;
}

function elsewhere(copy) {
  const part = fromTemplate("elsewhere-template");
  fill(part, "[data-alias]", copy.alias);
  link(part, "a", copy.address);
  return part;
}

function askToDiscard(copy, part) {
  const dialog = element("discard");
  fill(dialog, "[data-alias]", copy.alias);
  link(dialog, "[data-list]", element("generate").dataset.list);
  link(dialog, "[data-credential]", copy.issued ?? "");
  dialog.querySelector("[data-issued]").hidden = !copy.issued;
  dialog.querySelector("[data-unknown]").hidden = Boolean(copy.issued);
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "discard") return;
    await forgetCopy(copy.id);
    part.remove();
    hideWhenEmpty();
    element("alias").focus();
  };
  dialog.showModal();
}

function hideWhenEmpty() {
  showKept(true);
}
