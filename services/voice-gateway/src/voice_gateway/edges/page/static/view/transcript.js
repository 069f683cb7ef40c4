// What does the transcript show? One list item for each entry of the conversation; only what changed is drawn again.

import { partsOf, wordsOf } from "../state/conversation.js";
import { byId, make } from "./dom.js";
import { timingOf } from "../state/timing.js";
import { timing } from "./timing.js";

export class TranscriptView {
  #list = byId("transcript");
  #welcome = byId("welcome");
  #drawn = new Map(); // key → {entry, item}
  #scrolledTo = 0;

  /** Draw the entries of the conversation. */
  draw(entries) {
    const follows = isAtEnd() || Math.abs(window.scrollY - this.#scrolledTo) < 4;
    this.#list.hidden = entries.length === 0;
    this.#welcome.hidden = entries.length > 0;
    const keys = new Set(entries.map((entry) => entry.key));
    for (const [key, { item }] of this.#drawn) {
      if (!keys.has(key)) {
        item.remove();
        this.#drawn.delete(key);
      }
    }
    for (const entry of entries) this.#drawEntry(entry);
    if (follows) this.#follow();
  }

  /** Show the words that are being spoken, or the end. Whoever has scrolled elsewhere to read is left there. */
  #follow() {
    const spoken = this.#list.querySelector(".reply:last-child span.rest")?.getClientRects()[0];
    const place = spoken ? window.scrollY + spoken.top - window.innerHeight / 3 : Infinity;
    const end = document.documentElement.scrollHeight - window.innerHeight;
    window.scrollTo({ top: Math.max(0, Math.min(place, end)) });
    this.#scrolledTo = window.scrollY;
  }

  #drawEntry(entry) {
    const known = this.#drawn.get(entry.key);
    if (known?.entry === entry) return;
    const item = known?.item ?? this.#list.appendChild(make("li", `entry ${entry.kind} ${entry.tone ?? ""}`.trim()));
    DRAWERS[entry.kind](item, entry, known?.entry);
    this.#drawn.set(entry.key, { entry, item });
  }
}

function isAtEnd() {
  const page = document.documentElement;
  return page.scrollHeight - window.scrollY - window.innerHeight < 120;
}

const DRAWERS = {
  user(item, entry) {
    const { settled, partial } = wordsOf(entry);
    const words = make("p", "words", {}, settled, settled && partial ? " " : "");
    if (partial) words.append(make("span", "partial", {}, partial));
    item.hidden = !settled && !partial;
    item.replaceChildren(make("p", "who", {}, "You"), words);
  },
  reply(item, entry, before) {
    const { heard, rest } = partsOf(entry);
    const isCut = entry.status === "interrupted";
    const words = make("p", "words", {}, make("span", "heard", {}, heard));
    if (rest) words.append(make(isCut ? "s" : "span", "rest", {}, rest));
    item.hidden = !heard && !rest;
    const parts = [make("p", "who", {}, "Voice"), words];
    if (isCut) parts.push(make("p", "cut", {}, heard ? "Interrupted: the words struck out were not heard." : "Interrupted before anything was heard."));
    const kept = item.querySelector(".timing");
    if (kept && before?.latency === entry.latency) parts.push(kept);
    else if (timingOf(entry.latency)) parts.push(timing(timingOf(entry.latency), kept?.querySelector("details").open));
    item.replaceChildren(...parts);
  },
  notice(item, entry) {
    item.replaceChildren(make("p", "words", {}, entry.text));
  },
};
