// What can the caller press, and what does each press mean? Buttons, keys and the text field; the page decides what follows.

import { byId } from "./dom.js";

const TALK = {
  start: "Start talking",
  opening: "Starting…",
  open: "Mute",
  muted: "Unmute",
  hold: "Hold to talk",
  held: "Let go to send",
};

/** `on` = {talk, hold, release, interrupt, end, type(text)}. In the mode "hold" the talk button and the space bar are held;
 * otherwise a press is `talk`. */
export class Controls {
  #talk = byId("talk");
  #state = "start";
  #holding = false;
  #on;

  constructor(on) {
    this.#on = on;
    this.#talk.addEventListener("click", () => this.#isHeldDown || on.talk());
    this.#talk.addEventListener("pointerdown", (event) => this.#press(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.#talk.addEventListener(name, () => this.#letGo());
    }
    byId("interrupt").addEventListener("click", () => on.interrupt());
    byId("end").addEventListener("click", () => on.end());
    byId("type").addEventListener("submit", (event) => this.#submit(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("keyup", (event) => event.code === "Space" && this.#letGo());
    window.addEventListener("blur", () => this.#letGo());
  }

  /** `talk`: a key of TALK; the others are what can be pressed now. */
  draw({ talk, canInterrupt, canEnd }) {
    this.#state = talk;
    if (this.#talk.dataset.state !== talk) {
      this.#talk.dataset.state = talk;
      byId("talk-text").textContent = TALK[talk];
      this.#talk.toggleAttribute("disabled", talk === "opening");
    }
    byId("interrupt").toggleAttribute("disabled", !canInterrupt);
    byId("end").toggleAttribute("disabled", !canEnd);
  }

  /** What the microphone hears, 0..1, around the button. */
  level(level) {
    this.#talk.style.setProperty("--level", Math.min(1, level * 6).toFixed(2));
  }

  get #isHeldDown() {
    return this.#state === "hold" || this.#state === "held";
  }

  #press(event) {
    if (!this.#isHeldDown) return;
    this.#talk.setPointerCapture(event.pointerId);
    this.#hold();
  }

  #hold() {
    if (this.#holding) return;
    this.#holding = true;
    this.#on.hold();
  }

  #letGo() {
    if (!this.#holding) return;
    this.#holding = false;
    this.#on.release();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const isWriting = event.target instanceof HTMLInputElement;
    if (event.key === "Escape") {
      this.#on.interrupt();
    } else if (event.key === "/" && !isWriting) {
      event.preventDefault();
      byId("words").focus();
    } else if (event.code === "Space" && !isWriting && this.#isHeldDown && isFree(event.target, this.#talk)) {
      event.preventDefault();
      if (!event.repeat) this.#hold();
    }
  }

  #submit(event) {
    event.preventDefault();
    const words = byId("words");
    const text = words.value.trim();
    if (text && this.#on.type(text)) words.value = "";
  }
}

/** Where the space bar presses nothing else. */
function isFree(target, talk) {
  return target === talk || !(target instanceof HTMLElement && target.closest("button, summary, select"));
}
