/** The page `Generate a new private key`: what happens at each click. The work itself is in flow.js. */
import { copies, forgetCopy, purgeCopies } from "./copies.js";
import { NotKept, WrongCertificate, createCopy, finishCertificate } from "./flow.js";
import { NoAnswer, NotNow, Refused, SignedOut, confirmSaved, freshToken } from "./portal.js";
import { WrongPassword, checkPassword } from "./protection.js";
import { element, showPart } from "./view.js";
import { checkForm, enableForm, forgetPasswords, setUpForm, showRefusal, typed } from "./view_form.js";
import { offerKept, showKept } from "./view_kept.js";
import { endProgress, showStep, startProgress } from "./view_progress.js";
import { showEnded, showFinished, showInterrupted } from "./view_result.js";
import { canMakeKeys } from "./view_start.js";

const MADE_BEFORE = ["Generating key", "Signing request", "Protecting key"];
const { user, place, subject } = element("generate").dataset;
/** Pairs of label and value; the last is the common name without its unique beginning. */
const SUBJECT = JSON.parse(subject);

let token = document.querySelector('input[name="csrfmiddlewaretoken"]').value;
let isBusy = false;

/** `Create certificate`. A second click, or a second Enter, finds the page busy. */
async function create() {
  if (isBusy || !checkForm()) return;
  const { alias, password, keyType } = typed();
  await begin({ alias, done: [] });
  const page = { user, place, address: location.pathname + location.search };
  let copy;
  try {
    copy = await createCopy({ alias, password, keyType, subject: subjectOfNow(), page, onStep: showStep });
  } catch (failure) {
    backToForm({ errors: { "": [whyNotMade(failure)] } });
    return;
  }
  await finish(copy, password);
}

/** `Finish <alias>`. Answers with what is wrong with the password; nothing is asked for before it is right. */
async function finishKept(copy, password) {
  if (isBusy) return "";
  try {
    await checkPassword(copy.protectedKey, password, copy.keyType, copy.spki);
  } catch (failure) {
    if (failure instanceof WrongPassword) {
      return `This is not the password of ${copy.alias}’s key. Nothing was sent. Try again, as often as you like.`;
    }
    reportError(failure);
    return "The kept copy is damaged, so no keystore can be built from it. Discard it; if its certificate was issued, revoke that one.";
  }
  element("common-name").textContent = copy.commonName;
  await begin({ alias: copy.alias, done: MADE_BEFORE });
  await finish(copy, password);
  return "";
}

/** `Try again`: the same request, with a token that fits the sign-in of now. */
async function tryAgain(copy, password) {
  if (isBusy) return;
  await begin({ alias: copy.alias, done: MADE_BEFORE });
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
    const result = await finishCertificate({ copy, password, token, onStep: showStep });
    endProgress();
    forgetPasswords();
    const { credential } = result.answer;
    if (result.keystore) {
      showFinished({ result, copy, confirm: () => confirm(credential, copy) });
    } else {
      await forgetCopy(copy.id);
      showEnded(credential);
    }
    isBusy = false;
  } catch (failure) {
    if (failure instanceof Refused) backToForm(failure, copy.alias);
    else interrupt(failure, copy, password);
  }
}

/** Nothing was issued: the form comes back with everything that was typed, and says why. */
function backToForm(refusal, alias) {
  endProgress();
  isBusy = false;
  showPart("generate-form");
  enableForm(true);
  if (alias && !typed().alias) element("alias").value = alias;
  showRefusal(refusal);
  offerWhatIsKept();
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
  });
}

function wordsFor(failure) {
  switch (failure.constructor) {
    case SignedOut:
      return {
        title: "You are signed out",
        text: "Sign in in a new tab, come back to this one and try again. The key is made already and waits here.",
      };
    case NoAnswer:
      return {
        title: "It is not known whether the certificate was issued",
        text: "The request was sent, and no usable answer came back. “Try again” repeats the very same request: a certificate that was issued comes back, and never a second one.",
      };
    case NotNow:
      return { title: "The portal did not issue the certificate", text: failure.message };
    case WrongCertificate:
      return {
        title: "The certificate that came back is for another key",
        text: "Its public key is not the one that was made here, so no keystore was built. Something between this browser and the portal changed the answer: tell the people who run your network. “Try again” asks once more.",
      };
    default:
      reportError(failure);
      return {
        title: "The keystore could not be built",
        text: "Something went wrong in this browser after the request was sent. “Try again” gets the same certificate and builds anew; a current version of the browser may help.",
      };
  }
}

function whyNotMade(failure) {
  if (failure instanceof NotKept) {
    return "This browser did not keep the encrypted copy of the key, so nothing was sent. Make room on this device, or allow this site to store data, and try again.";
  }
  reportError(failure);
  return "This browser could not make the key. Nothing was sent. Try again, with another key type if it stays so.";
}

/** The person has the keystore: the portal notes it, then the copy goes. Throws what is to be said otherwise. */
async function confirm(credential, copy) {
  const address = credential.saved_url;
  try {
    await confirmSaved({ address, token }).catch(async (failure) => {
      if (!(failure instanceof SignedOut)) throw failure;
      token = await freshToken({ address: location.pathname, user });
      await confirmSaved({ address, token });
    });
  } catch (failure) {
    const why = failure instanceof SignedOut ? "You are signed out. Sign in in another tab" : "The portal did not take it. Wait a moment";
    throw new Error(`${why}, then press the button again. The copy is still here.`, { cause: failure });
  }
  await forgetCopy(copy.id);
}

/** The attributes with the common name of this very moment, which is shown as well. */
function subjectOfNow() {
  const [, end] = SUBJECT.at(-1);
  const commonName = `${Date.now()}${end}`;
  element("common-name").textContent = commonName;
  return [...SUBJECT.slice(0, -1), ["CN", commonName]];
}

async function offerWhatIsKept() {
  offerKept({ copies: await copies(), place, finish: finishKept });
}

if (await canMakeKeys()) {
  await purgeCopies({ user, now: Date.now() });
  await offerWhatIsKept();
  subjectOfNow();
  setUpForm({ submit: create });
}
