// Buttons with data-print open the browser's print dialog; style sheets hide them where scripts do not run.
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
