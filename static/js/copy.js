// Buttons with data-copy (the text) or data-copy-from (the id of the element that holds it) put it on the clipboard.
// What happened is said in the page's live region and shown by the icon for two seconds.
const say = (sentence) => {
  const region = document.getElementById("announcer");
  if (!region) return;
  region.textContent = sentence;
  region.classList.replace("hidden", "toast");
  setTimeout(() => region.classList.replace("toast", "hidden"), 4000);
};

const textOf = (button) => {
  if (button.dataset.copy !== undefined) return button.dataset.copy;
  const source = document.getElementById(button.dataset.copyFrom);
  return source?.value ?? source?.textContent ?? "";
};

// Browsers offer navigator.clipboard on https and localhost only; elsewhere the old command still works.
const write = async (text) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy refused");
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], [data-copy-from]");
  if (!button) return;
  const what = button.dataset.copyName ?? "the text";
  try {
    await write(textOf(button));
    say(`Copied ${what}.`);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 2000);
  } catch {
    say(`Your browser did not allow copying ${what}. Select it and copy it yourself.`);
  }
  button.focus();
});
