// A button with data-word stays disabled until the field named by data-typed holds exactly that word.
// The server checks the word again; without this script the button simply works.
const guard = (button) => {
  const field = document.getElementById(button.dataset.typed);
  if (!field) return;
  const check = () => { button.disabled = field.value !== button.dataset.word; };
  field.addEventListener("input", check);
  addEventListener("pageshow", check);  // A page that comes back from history brings its typed word along.
  check();
};

for (const button of document.querySelectorAll("button[data-word]")) guard(button);
