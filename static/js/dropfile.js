// A form or box with data-drop takes files that are dropped on it: data-drop is the id of its file field.
// Without this script the file field alone does the work.
const named = (input) => {
  const place = document.querySelector(`[data-file-name="${input.id}"]`);
  if (place) place.textContent = [...input.files].map((file) => file.name).join(", ");
};

const setUp = (box) => {
  const input = document.getElementById(box.dataset.drop);
  if (!input) return;
  let depth = 0;  // dragenter and dragleave also fire for every child that is passed over.
  const leave = () => { depth = 0; box.classList.remove("dropping"); };
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

  box.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    box.classList.add("dropping");
  });
  box.addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
  box.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) leave(); });
  box.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    leave();
    const files = new DataTransfer();
    for (const file of input.multiple ? event.dataTransfer.files : [...event.dataTransfer.files].slice(0, 1)) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  input.addEventListener("change", () => named(input));
  named(input);
};

for (const box of document.querySelectorAll("[data-drop]")) setUp(box);

// A file dropped beside the box must not replace the page and lose what was typed.
for (const kind of ["dragover", "drop"]) {
  addEventListener(kind, (event) => {
    if (document.querySelector("[data-drop]") && event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}
