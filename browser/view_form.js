/** The form: what is typed, what is wrong with it, and the help with the password. */
import { problemOf, strengthOf, suggestPassword } from "./password.js";
import { element, fieldError, fill, fromTemplate } from "./view.js";

const ALIAS = /^[A-Za-z0-9 ._-]{1,64}$/;
const ALIAS_PROBLEM =
  "An alias has 1 to 64 characters: letters from A to Z, digits, spaces, “.”, “_” and “-”. Leave out everything else.";
/** The class and the words of each score of `strengthOf`. */
const MEANINGS = ["bad", "bad", "warn", "ok", "ok"];

const alias = () => element("alias");
const password = () => element("keystore-password");
const repeated = () => element("repeated-password");

/** What was typed; the alias as the portal stores it. */
export function typed() {
  return { alias: alias().value.trim(), password: password().value, keyType: element("key-type").value };
}

/** Let the form work: `submit` is called when it is sent, by click or by Enter. */
export function setUpForm({ submit }) {
  element("generate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  element("show-password").addEventListener("click", () => showPasswords(password().type === "password"));
  element("suggest-password").addEventListener("click", suggest);
  for (const input of [alias(), password(), repeated()]) {
    input.addEventListener("input", () => {
      if (input.getAttribute("aria-invalid") === "true") fieldError(input, problemIn(input));
      showStrength();
    });
  }
  enableForm(true);
  // A browser that brings typed words back after a reload does so without an event.
  showStrength();
}

/** Let the fields be used, or not: while something runs, and before it can. */
export function enableForm(/** @type {boolean} */ enabled) {
  element("form-fields").disabled = !enabled;
}

/** Show what is wrong with what was typed and lead to the first of it. @returns {boolean} whether all is well. */
export function checkForm() {
  clearRefusal();
  const wrong = [alias(), password(), repeated()].filter((input) => {
    const problem = problemIn(input);
    fieldError(input, problem);
    return problem !== "";
  });
  wrong[0]?.focus();
  return wrong.length === 0;
}

/** Empty both passwords: they are needed no more. */
export function forgetPasswords() {
  password().value = repeated().value = "";
  showPasswords(false);
  showStrength();
}

/** Show what the portal, or this browser, refused. */
export function showRefusal({ errors, verdicts }) {
  const { alias: ofAlias = [], ...others } = errors;
  fieldError(alias(), ofAlias.join(" "));
  const sentences = Object.values(others).flat();
  const alert = element("form-alert");
  for (const sentence of sentences) {
    const paragraph = document.createElement("p");
    paragraph.textContent = sentence;
    alert.querySelector("div").append(paragraph);
  }
  alert.hidden = sentences.length === 0;
  showBrokenRules(verdicts ?? []);
  (ofAlias.length > 0 ? alias() : alert).focus();
}

function clearRefusal() {
  const alert = element("form-alert");
  alert.hidden = true;
  for (const sentence of alert.querySelectorAll("p + p")) sentence.remove();
  showBrokenRules([]);
}

function showBrokenRules(verdicts) {
  const card = element("broken-rules");
  card.hidden = verdicts.length === 0;
  card.querySelector("ul").replaceChildren(...verdicts.map(({ title, found, wanted }) => {
    const line = fromTemplate("broken-rule-template");
    fill(line, "strong", title);
    const [foundPlace, wantedPlace] = line.querySelectorAll("dd");
    foundPlace.textContent = found || "nothing";
    wantedPlace.textContent = wanted;
    if (!wanted) line.querySelectorAll("dt, dd").forEach((part, index) => index > 1 && part.remove());
    return line;
  }));
}

function problemIn(input) {
  if (input === alias()) {
    const value = input.value.trim();
    if (value === "") return "Give the certificate an alias.";
    return ALIAS.test(value) ? "" : ALIAS_PROBLEM;
  }
  if (input === password()) return problemOf(input.value);
  if (input.value === password().value) return "";
  return input.value === "" ? "Type the keystore password again." : "The two passwords differ. Type the same one twice.";
}

function showPasswords(shown) {
  const button = element("show-password");
  for (const input of [password(), repeated()]) input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}

function suggest() {
  password().value = repeated().value = suggestPassword();
  for (const input of [password(), repeated()]) fieldError(input, "");
  showPasswords(true);
  showStrength();
  password().focus();
}

/** A hint and no more: a weak password that keeps the rules is accepted. */
function showStrength() {
  const place = element("strength");
  const { value } = password();
  place.hidden = value === "";
  if (value === "") return;
  const words = [alias().value, element("generate").dataset.words];
  const { score, label, hint } = strengthOf(value, words);
  const meter = place.querySelector("svg");
  meter.setAttribute("class", `meter ${MEANINGS[score]}`);
  meter.querySelector(".part").setAttribute("width", `${Math.max(5, score * 25)}%`);
  fill(place, "small", hint ? `${label}. ${hint}` : `${label}.`);
}
