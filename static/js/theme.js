// Remembers light or dark; without it the system decides. Loaded in <head> without defer, so that nothing flashes.
const root = document.documentElement;
const show = (theme) => {
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  else delete root.dataset.theme;
};
try { show(localStorage.getItem("theme")); } catch { /* storage refused: stay with the system */ }

addEventListener("DOMContentLoaded", () => {
  for (const radio of document.querySelectorAll('input[name="theme"]')) {
    radio.checked = radio.value === (root.dataset.theme ?? "system");
    radio.addEventListener("change", () => {
      show(radio.value);
      try { localStorage.setItem("theme", radio.value); } catch { /* not remembered */ }
    });
  }
});
