// Light or dark? As the system has it, or as chosen; kept in this browser.

import { byId } from "./dom.js";

/** Show the theme that was chosen, and follow the choice. */
export function followTheme(storage) {
  const select = byId("theme");
  const show = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  select.value = storage.getItem("theme") ?? "";
  show(select.value);
  select.addEventListener("change", () => {
    storage.setItem("theme", select.value);
    show(select.value);
  });
}
