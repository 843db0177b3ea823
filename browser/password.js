/** Keystore passwords: which can be used, how strong one is, and one that is drawn by chance. */

export const SHORTEST = 12;
export const LONGEST = 1000;
const PRINTABLE_ASCII = /^[ -~]*$/;

// Letters and digits that are hardly mistaken for each other, and that no shell gives a meaning.
export const SUGGESTED_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const SUGGESTED_LENGTH = 24;

// Bits by which each score begins, of what guessing by machine would have to go through.
const SCORES = [0, 35, 50, 65, 80];
const LABELS = ["Very weak", "Weak", "Fair", "Good", "Strong"];
const BITS_OF_KNOWN = 6; // A word that everybody tries first.
const BITS_OF_STEP = 1; // One more of the same, or the next in a row.
const BITS_OF_WORD_LETTER = 2.5; // A letter of a word in some language.
const WORD = /[A-Z]?[a-z]{4,}|[A-Z]{5,}/g; // At least five letters: shorter runs come by chance.
const ROWS = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop qwertzuiop azertyuiop asdfghjkl zxcvbnm".split(" ");
const KNOWN = (
  "password passwort passwd secret changeme changeit welcome letmein admin administrator default keystore truststore " +
  "certificate private client server login master test demo sandbox production iloveyou monkey dragon football " +
  "baseball sunshine princess january february march april june july august september october november december " +
  "monday tuesday wednesday thursday friday saturday sunday spring summer autumn winter 1234 2024 2025 2026 2027"
).split(" ");

/** What forbids a password, as a sentence, or "". Strength is no part of it. */
export function problemOf(/** @type {string} */ password) {
  if (password === "") return "Choose a keystore password.";
  if (!PRINTABLE_ASCII.test(password)) {
    return (
      "Use only letters from A to Z, digits, spaces and the signs of an English keyboard (printable ASCII): " +
      "Java cannot open a keystore whose password holds anything else."
    );
  }
  const length = password.length;
  const has = `this password has ${length.toLocaleString("en")}`;
  if (length < SHORTEST) return `Use at least ${SHORTEST} characters; ${has}.`;
  if (length > LONGEST) return `Use at most ${LONGEST.toLocaleString("en")} characters; ${has}.`;
  return "";
}

/**
 * How hard a password is to guess: an estimate from its length, its kinds of characters, words and rows.
 * @param {string} password
 * @param {string[]} words what a stranger would try first: alias, project, company
 * @returns {{score: number, label: string, hint: string}} score 0 to 4; hint says what would help, or ""
 */
export function strengthOf(password, words) {
  const own = words.flatMap((word) => word.toLowerCase().match(/[a-z0-9]{3,}/g) ?? []);
  const { rest, found } = withoutKnown(password, [...own, ...KNOWN]);
  const { bits, steps } = bitsOf(rest);
  const total = bits + found.length * BITS_OF_KNOWN;
  const score = SCORES.findLastIndex((least) => total >= least);
  return { score, label: LABELS[score], hint: score > 2 ? "" : hintFor({ password, own, found, steps }) };
}

/** A password drawn by the browser's own source of chance, each character as likely as any other. */
export function suggestPassword() {
  let password = drawPassword();
  // One in a thousand holds what looks like a word or a row, and the hint beside it would call it weaker.
  while (strengthOf(password, []).score < SCORES.length - 1) password = drawPassword();
  return password;
}

function drawPassword() {
  const usable = 256 - (256 % SUGGESTED_ALPHABET.length);
  const drawn = [];
  while (drawn.length < SUGGESTED_LENGTH) {
    const bytes = crypto.getRandomValues(new Uint8Array(SUGGESTED_LENGTH));
    // Bytes from `usable` on would make the first characters likelier.
    drawn.push(...Array.from(bytes).filter((byte) => byte < usable));
  }
  return drawn.slice(0, SUGGESTED_LENGTH).map((byte) => SUGGESTED_ALPHABET[byte % SUGGESTED_ALPHABET.length]).join("");
}

/** The password with every known word taken out; longer words first, so that none is found in parts. */
function withoutKnown(password, known) {
  const found = [];
  let rest = password;
  for (const word of [...new Set(known)].sort((one, other) => other.length - one.length)) {
    const pieces = rest.split(new RegExp(word, "i"));
    for (let times = 1; times < pieces.length; times += 1) found.push(word);
    rest = pieces.join("\n"); // Never in a password, and so what stood apart stays apart.
  }
  return { rest, found };
}

/** Bits of what is no known word. `steps` counts the characters that only go on as the ones before. */
function bitsOf(rest) {
  const words = (rest.match(WORD) ?? []).filter(looksLikeAWord);
  const wordLetters = words.reduce((sum, word) => sum + word.length, 0);
  const characters = Array.from(rest).filter((character) => character !== "\n").length;
  const steps = countSteps(rest);
  const perCharacter = Math.log2(kindsIn(rest));
  const perWordLetter = Math.min(BITS_OF_WORD_LETTER, perCharacter);
  const others = Math.max(0, characters - wordLetters - steps);
  const inWords = Math.max(0, Math.min(wordLetters, characters - steps));
  return { bits: others * perCharacter + inWords * perWordLetter + steps * BITS_OF_STEP, steps };
}

/** Words of European languages are a fifth to two thirds vowels; letters drawn by chance mostly are not. */
function looksLikeAWord(word) {
  const share = (word.match(/[aeiouy]/gi) ?? []).length / word.length;
  return share >= 0.2 && share <= 0.67;
}

/** Characters that repeat the one before, or go on in a row as the two before did, forwards or backwards. */
function countSteps(text) {
  const lower = text.toLowerCase();
  let steps = 0;
  for (let index = 1; index < lower.length; index += 1) {
    const last = lower.slice(Math.max(0, index - 2), index + 1);
    const backwards = Array.from(last).reverse().join("");
    const inRow = last.length === 3 && ROWS.some((row) => row.includes(last) || row.includes(backwards));
    if (lower[index] !== "\n" && (lower[index] === lower[index - 1] || inRow)) steps += 1;
  }
  return steps;
}

/** How many characters there are of the kinds that occur. */
function kindsIn(text) {
  const kinds = [[/[a-z]/, 26], [/[A-Z]/, 26], [/[0-9]/, 10], [/[^A-Za-z0-9\n]/, 33]];
  return Math.max(2, kinds.reduce((sum, [kind, size]) => sum + (kind.test(text) ? size : 0), 0));
}

function hintFor({ password, own, found, steps }) {
  if (found.some((word) => own.includes(word))) return "It holds words that stand on this page.";
  if (found.length > 0) return "It holds words or years that are tried first.";
  if (steps * 3 >= password.length) return "Many of its characters repeat or follow in a row.";
  return "A longer one is harder to guess, or let one be suggested.";
}
