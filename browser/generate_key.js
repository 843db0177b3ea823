/** The page `Generate a new private key`: what happens at each click. The work itself is in flow.js. */
import { serverNow } from "./clock.js";
import { copies, forgetCopy, hasCopy, purgeCopies } from "./copies.js";
import { createCopy, finishCertificate } from "./flow.js";
import { Forbidden, NoAccess, Refused, SignedOut, confirmSaved, freshToken, requestCertificate } from "./portal.js";
import { WrongPassword, checkPassword } from "./protection.js";
import { element, showPart } from "./view.js";
import { checkForm, enableForm, forgetPasswords, setUpForm, showRefusal, typed } from "./view_form.js";
import { askToDiscard, offerKept, showGone, showKept } from "./view_kept.js";
import { endProgress, showStep, startProgress } from "./view_progress.js";
import { showConfirmed, showEnded, showFinished, showInterrupted } from "./view_result.js";
import { canMakeKeys, showReason } from "./view_start.js";
import { whyNotConfirmed, whyNotMade, wordsFor } from "./words.js";

const MADE_BEFORE = ["Generating key", "Signing request", "Protecting key"];
const { user, place, subject, ended } = element("generate").dataset;
/** Pairs of label and value; the last is the common name without its unique beginning. */
const SUBJECT = JSON.parse(subject);
/** Why a keystore is of no use any more, by submission: what the portal knew when the page was opened. */
const ENDED = JSON.parse(ended);

let token = document.querySelector('input[name="csrfmiddlewaretoken"]').value;
let isBusy = false;

/** `Create certificate`. A second click, or a second Enter, finds the page busy. */
async function create() {
  if (isBusy || !checkForm()) return;
  const { alias, password, keyType } = typed();
  await begin({ alias, done: [] });
  const createdAt = serverNow();
  const page = { user, place, address: location.pathname + location.search, createdAt };
  let copy;
  try {
    copy = await createCopy({ alias, password, keyType, subject: subjectOf(createdAt), page, onStep: showStep });
  } catch (failure) {
    backToForm({ errors: { "": [whyNotMade(failure)] } });
    return;
  }
  await finish(copy, password);
}

/** `Finish <alias>`. Answers with what is wrong with the password; nothing is asked for before it is right. */
async function finishKept(copy, password) {
  if (isBusy) return "";
  isBusy = true;
  if (await isGone(copy)) {
    isBusy = false;
    showGone(copy);
    return "";
  }
  const problem = await problemWith(copy, password);
  if (problem) {
    isBusy = false;
    return problem;
  }
  element("common-name").textContent = copy.commonName;
  await begin({ alias: copy.alias, done: MADE_BEFORE });
  await finish(copy, password);
  return "";
}

/** Whether another tab has deleted the copy. Where the storage fails, the copy of this page is used. */
async function isGone(copy) {
  return !(await hasCopy(copy.id).catch(() => true));
}

/** What keeps the password from opening the copy; "" for nothing. */
async function problemWith(copy, password) {
  try {
    await checkPassword(copy.protectedKey, password, copy.keyType, copy.spki);
    return "";
  } catch (failure) {
    if (failure instanceof WrongPassword) {
      return `This is not the password of ${copy.alias}’s key. Nothing was sent. Try again, as often as you like.`;
    }
    reportError(failure);
    return "The kept copy is damaged, so no keystore can be built from it. Discard it; if its certificate was issued, revoke that one.";
  }
}

/** `Try again`: the same request, with a token that fits the sign-in of now. */
async function tryAgain(copy, password) {
  if (isBusy) return;
  await begin({ alias: copy.alias, done: MADE_BEFORE });
  if (await isGone(copy)) {
    const why = `The copy of ${copy.alias}’s key is no longer in this browser: it was deleted in another tab. No further request was sent.`;
    backToForm({ errors: { "": [why] } }, copy.alias);
    return;
  }
  try {
    await showStep("Requesting certificate");
    token = await freshToken({ address: location.pathname, user });
  } catch (failure) {
    interrupt(failure, copy, password);
    return;
  }
  await finish(copy, password);
}

async function begin({ alias, done }) {
  isBusy = true;
  enableForm(false);
  showKept(false);
  await startProgress({ alias, done });
}

/** From the kept copy to the keystore, or to what stands in its way. */
async function finish(copy, password) {
  try {
    const request = (fields) => withToken(() => requestCertificate({ ...fields, token }));
    const result = await finishCertificate({ copy, password, request, onStep: showStep });
    endProgress();
    forgetPasswords();
    const { credential } = result.answer;
    if (result.keystore) {
      showFinished({
        result,
        copy,
        confirm: () => confirm(credential, copy),
        discard: () => askToDiscard({ ...copy, issued: credential.url }, showConfirmed),
      });
    } else {
      await forgetCopy(copy.id);
      showEnded(credential);
    }
    isBusy = false;
  } catch (failure) {
    if (failure instanceof Refused) {
      if (failure.address) goOnAt(failure.address);
      backToForm(failure, copy.alias);
    } else interrupt(failure, copy, password);
  }
}

/** Act with the page's token and, where it is refused, once more with a fresh one. */
async function withToken(act) {
  try {
    return await act();
  } catch (failure) {
    if (!(failure instanceof Forbidden)) throw failure;
    token = await freshToken({ address: location.pathname, user });
    return await act();
  }
}

/** The certificate that was to be replaced has ended: the page goes on without it, and keeps what was typed. */
function goOnAt(address) {
  history.replaceState(null, "", address);
  for (const part of document.querySelectorAll("[data-rotating]")) part.remove();
}

/** Nothing was issued: the form comes back with everything that was typed, and says why. */
function backToForm(refusal, alias) {
  endProgress();
  isBusy = false;
  showPart("generate-form");
  enableForm(true);
  if (alias && !typed().alias) element("alias").value = alias;
  showRefusal(refusal);
  offerWhatIsKept().catch(reportError);
}

/** The copy waits: say what happened, and let the same request be sent again. */
function interrupt(failure, copy, password) {
  endProgress();
  isBusy = false;
  showInterrupted({
    ...wordsFor(failure),
    alias: copy.alias,
    signIn: failure instanceof SignedOut,
    again: () => tryAgain(copy, password),
    discard: failure instanceof NoAccess ? () => askToDiscard(copy, () => location.assign("/")) : null,
  });
}

/** The person has the keystore: the portal notes it, then the copy goes. Throws what is to be said otherwise. */
async function confirm(credential, copy) {
  try {
    await withToken(() => confirmSaved({ address: credential.saved_url, token }));
  } catch (failure) {
    const { text, isFinal } = whyNotConfirmed(failure);
    throw Object.assign(new Error(text, { cause: failure }), { isFinal });
  }
  await forgetCopy(copy.id);
}

/** The attributes with the common name of this moment, in milliseconds, which is shown as well. */
function subjectOf(moment) {
  const [, end] = SUBJECT.at(-1);
  const commonName = `${moment}${end}`;
  element("common-name").textContent = commonName;
  return [...SUBJECT.slice(0, -1), ["CN", commonName]];
}

async function offerWhatIsKept() {
  const own = (await copies()).filter((copy) => copy.user === user);
  offerKept({ copies: own, place, ended: ENDED, finish: finishKept });
}

/** Whether what is kept here could be read: without that the form stays closed. */
async function isReadyToKeep() {
  try {
    await purgeCopies({ user, now: serverNow() });
    await offerWhatIsKept();
    return true;
  } catch {
    showReason("storage");
    return false;
  }
}

if ((await canMakeKeys()) && (await isReadyToKeep())) {
  subjectOf(serverNow());
  setUpForm({ submit: create });
}
