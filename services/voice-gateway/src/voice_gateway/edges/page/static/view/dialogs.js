// What does the caller choose before and beside the call? Settings, and the token where the gateway asks for one.

import { keepSetting, maySet, readSettings } from "../state/settings.js";
import { byId, make } from "./dom.js";

/** The settings dialog: `onMode(mode)` when the way to speak changes. */
export class SettingsDialog {
  #storage;

  constructor(storage, onMode) {
    this.#storage = storage;
    const dialog = byId("settings");
    byId("open-settings").addEventListener("click", () => dialog.showModal());
    for (const name of ["language", "voice"]) {
      byId(name).addEventListener("change", ({ target }) => keepSetting(storage, name, target.value.trim()));
    }
    for (const radio of document.querySelectorAll('input[name="mode"]')) {
      radio.checked = radio.value === this.chosen.mode;
      radio.addEventListener("change", () => {
        keepSetting(storage, "mode", radio.value);
        onMode(radio.value);
      });
    }
    byId("voice").value = this.chosen.voice;
  }

  /** What is chosen now. */
  get chosen() {
    return readSettings(this.#storage);
  }

  /** Offer what this gateway serves (ServerInfo). */
  offer(info) {
    const { language, voice } = this.chosen;
    const languages = info.languages ?? [];
    byId("language").replaceChildren(
      make("option", "", { value: "" }, languages[0] ? `${nameOf(languages[0])} (the gateway's own)` : "The gateway's own"),
      ...languages.slice(1).map((tag) => make("option", "", { value: tag }, nameOf(tag))),
    );
    byId("language").value = languages.includes(language) ? language : "";
    byId("voices").replaceChildren(...(info.voices ?? []).map((name) => make("option", "", { value: name })));
    byId("voice").value = voice;
    byId("voice").placeholder = info.voice || "The gateway's own";
    for (const name of ["language", "voice"]) byId(`${name}-field`).hidden = !maySet(info, name);
    byId("settings-note").hidden = !maySet(info, "language") && !maySet(info, "voice");
    byId("server").textContent = `Gateway ${info.version ?? ""}${info.llmModel ? `, model ${info.llmModel}` : ""}`;
  }
}

/** The token that the caller enters; null = it does not want to. */
export function askForToken(reason) {
  const dialog = byId("token-dialog");
  if (reason) byId("token-reason").textContent = reason;
  byId("token").value = "";
  dialog.returnValue = "cancel";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "token" ? byId("token").value.trim() : null), { once: true });
  });
}

/** "German (Germany)" for de-DE, in the page's own language. */
function nameOf(tag) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
