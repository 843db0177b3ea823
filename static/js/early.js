// What was filled in before htmx listened, as on a slow line, is told to it once it does.
const isFilledIn = (field) => {
  if (field.type === "file") return field.files.length > 0;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const given = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(given, 0);
};

const tellOfAll = () => {
  for (const live of document.querySelectorAll('[hx-trigger*="input"], [hx-trigger*="change"]')) {
    for (const field of live.querySelectorAll("input, select, textarea")) {
      if (!isFilledIn(field)) continue;
      for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
    }
  }
};

document.addEventListener("htmx:load", tellOfAll, { once: true });
