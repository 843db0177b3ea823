/** The sentences for what can go wrong. */
import { NotKept, WrongCertificate } from "./flow.js";
import { Forbidden, NoAccess, NoAnswer, NotNow, SignedOut } from "./portal.js";

/** Why it did not go on after the key was made. @returns {{title: string, text: string}} */
export function wordsFor(failure) {
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
    case Forbidden:
      return {
        title: "The portal refused this browser’s request",
        text: "It did so twice, the second time with a page that was loaded anew, and nothing was issued by it. Allow this site to set cookies, then try again.",
      };
    case NoAccess:
      return {
        title: "You cannot add certificates to this project now",
        text: `${failure.message} This request issued nothing. Sign in as the person who made this key and try again; if the project is closed to you for good, discard the key.`,
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

/** Why no key was made, or none that could be kept. */
export function whyNotMade(failure) {
  if (failure instanceof NotKept) {
    return "This browser did not keep the encrypted copy of the key, so nothing was sent. Make room on this device, or allow this site to store data, and try again.";
  }
  reportError(failure);
  return "This browser could not make the key. Nothing was sent. Try again, with another key type if it stays so.";
}

/**
 * Why the portal did not note that the keystore is saved, and whether asking again can help.
 * @returns {{text: string, isFinal: boolean}}
 */
export function whyNotConfirmed(failure) {
  const again = "then press the button again. The copy is still here.";
  switch (failure.constructor) {
    case SignedOut:
      return { text: `You are signed out. Sign in in another tab, ${again}`, isFinal: false };
    case NotNow:
      return { text: `${failure.message} Do that in another tab, ${again}`, isFinal: false };
    case NoAccess:
      return {
        text: `${failure.message} So the portal noted nothing, and the copy is still here. Save the keystore, if you need it, and delete the copy.`,
        isFinal: true,
      };
    default:
      return { text: `The portal did not take it. Wait a moment, ${again}`, isFinal: false };
  }
}
