/** Small tools for the page: its elements by id, copies of its templates, and words put into marked places. */

/** The element with this id. Throws where the template lacks it. */
export function element(/** @type {string} */ id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element “${id}”.`);
  return found;
}

/** A fresh copy of the first element of the `<template>` with this id. */
export function fromTemplate(/** @type {string} */ id) {
  return element(id).content.firstElementChild.cloneNode(true);
}

/** Put `text` into every place below `root` that `selector` names. */
export function fill(root, selector, text) {
  for (const place of root.querySelectorAll(selector)) place.textContent = text;
}

/** Let every link below `root` that `selector` names lead to `address`. */
export function link(root, selector, address) {
  for (const place of root.querySelectorAll(selector)) place.href = address;
}

/** Show the one of the page's main parts with this id and hide the others; "" hides all. */
export function showPart(/** @type {string} */ id) {
  for (const part of ["generate-form", "progress", "interrupted", "ended", "finished"]) element(part).hidden = part !== id;
}

/** Resolves after the browser has painted what was changed last. */
export function painted() {
  return new Promise((resolve) => {
    // A hidden tab paints no frames, and must go on all the same.
    const timer = setTimeout(resolve, 100);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      clearTimeout(timer);
      setTimeout(resolve);
    }));
  });
}

/** A number of bytes in words: 982 bytes, 4.3 kB. */
export function sizeInWords(/** @type {number} */ bytes) {
  return bytes < 1000 ? `${bytes} byte${bytes === 1 ? "" : "s"}` : `${(bytes / 1000).toFixed(1)} kB`;
}

/** A day in words, as the site writes it: 4 February 2028. */
export function dayInWords(/** @type {number} */ milliseconds) {
  const options = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat("en-GB", options).format(milliseconds);
}

/** Put a sentence at a field, tied to it for screen readers; "" removes it. */
export function fieldError(input, sentence) {
  const box = input.closest(".field");
  const id = `${input.id}-error`;
  box.querySelector(".errors")?.remove();
  const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((name) => name && name !== id);
  const described = sentence ? [id, ...others] : others;
  if (described.length > 0) input.setAttribute("aria-describedby", described.join(" "));
  else input.removeAttribute("aria-describedby");
  if (!sentence) {
    input.removeAttribute("aria-invalid");
    return;
  }
  const errors = fromTemplate("error-template");
  errors.id = id;
  fill(errors, "span", sentence);
  input.setAttribute("aria-invalid", "true");
  (input.closest(".joined") ?? input).after(errors);
}
