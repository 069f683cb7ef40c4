// What stands in the transcript, and whose turn is it? One state, one step for each event. Pure.

import { heardPart } from "./heard.js";
import { ofTypedTurn } from "./timing.js";

/** Before anything was said. `phase`: idle, listening, hearing, thinking, speaking. Entries stay in the order in which
 * they began; each has a key that never changes. */
export const EMPTY = Object.freeze({ phase: "idle", entries: [], replying: 0, finals: [] });

const MOST_ENTRIES = 400;
/** Older ones leave the page; a call of an hour has fewer. */

/** The state after an event of the gateway, or of the speaker ({type: "heard", reply, seconds}). `finals` are the caller's
 * sentences that became final in this step: what a screen reader is told. The answer is heard. */
export function step(before, event) {
  const state = { ...before, finals: [] };
  switch (event.type) {
    case "started":
      return { ...state, phase: "listening" };
    case "transcript":
      return transcribed(state, event);
    case "turn":
      return MOVES[event.kind](state, event);
    case "replyText":
      return change(state, replyKey(event.reply), (entry) => ({ text: entry.text + event.delta }), () => newReply(event));
    case "heard":
      return change(state, replyKey(event.reply), (entry) => played(entry, event));
    case "latency":
      return measured(state, event);
    case "notice":
      return add(state, { key: `notice-${event.id}`, kind: "notice", text: event.text, tone: event.tone });
    case "ended":
      return { ...state, phase: "idle", replying: 0 };
    default:
      return state;
  }
}

const MOVES = {
  SPEECH_STARTED: (state) => ({ ...state, phase: "hearing" }),
  SPEECH_STOPPED: (state) => (state.phase === "hearing" ? { ...state, phase: state.replying ? "speaking" : "listening" } : state),
  TURN_ENDED: turnEnded,
  REPLY_STARTED: (state, event) =>
    change({ ...state, phase: "speaking", replying: event.reply }, replyKey(event.reply), () => ({}), () => newReply(event)),
  REPLY_HELD: (state, event) => change(state, replyKey(event.reply), () => ({ status: "held" })),
  REPLY_RESUMED: (state, event) => change({ ...state, phase: "speaking" }, replyKey(event.reply), () => ({ status: "speaking" })),
  REPLY_ENDED: replyEnded,
  REPLY_RETRACTED: (state, event) => ({ ...floorFree(state, event), entries: state.entries.filter((e) => e.key !== replyKey(event.reply)) }),
  REPLY_INTERRUPTED: (state, event) => change(floorFree(state, event), replyKey(event.reply), (entry) => cutAt(entry, event.heardText)),
  REPLY_TRUNCATED: (state, event) => change(state, replyKey(event.reply), (entry) => cutAt(entry, event.heardText)),
};

/** Words of the caller, partial or final; those of a turn that has ended already change nothing. */
function transcribed(state, { turn, utterance, text, final }) {
  const utterances = (entry) => ({ utterances: { ...entry.utterances, [utterance]: { text, final } } });
  const next = change(state, turnKey(turn), (entry) => (entry.done ? {} : utterances(entry)), () => ({
    key: turnKey(turn), kind: "user", spoken: true, utterances: { [utterance]: { text, final } }, text: "", done: false,
  }));
  return state.phase === "listening" && text ? { ...next, phase: "hearing" } : next;
}

/** What the history holds of the caller's turn stands from now on. */
function turnEnded(state, { turn, text }) {
  const next = change({ ...state, phase: "thinking" }, turnKey(turn), () => ({ text, done: true, utterances: {} }), () => ({
    key: turnKey(turn), kind: "user", spoken: false, utterances: {}, text, done: true,
  }));
  return { ...next, finals: text ? [text] : [] };
}

function replyEnded(state, { reply, text }) {
  const ended = (entry) => ({ text: text || entry.text, status: "ended", heard: text || entry.text });
  return change(floorFree(state, { reply }), replyKey(reply), ended);
}

/** How long the parts of a turn took: told once when the reply begins, and again with what was learnt since. */
function measured(state, { turn, reply, parts }) {
  const spoken = state.entries.find((entry) => entry.key === turnKey(turn))?.spoken;
  const known = spoken ? parts : ofTypedTurn(parts);
  return change(state, replyKey(reply), (entry) => ({ latency: { ...entry.latency, ...known } }));
}

/** A reply that was stopped: what was heard of it, and what was not. */
function cutAt(entry, heardText) {
  return { status: "interrupted", heard: heardText };
}

/** The speaker has played so much of a reply; how many of its words is an estimate until it has ended. */
function played(entry, { seconds }) {
  return entry.status === "speaking" ? { heard: heardPart(entry.text, seconds) } : {};
}

function newReply({ reply, turn = 0, delta = "" }) {
  return { key: replyKey(reply), kind: "reply", turn, text: delta, heard: "", status: "speaking", latency: null };
}

function floorFree(state, { reply }) {
  return state.replying === reply ? { ...state, replying: 0, phase: state.phase === "hearing" ? "hearing" : "listening" } : state;
}

function change(state, key, changes, create) {
  const index = state.entries.findIndex((entry) => entry.key === key);
  if (index < 0) return create ? add(state, create()) : state;
  const entries = [...state.entries];
  entries[index] = { ...entries[index], ...changes(entries[index]) };
  return { ...state, entries };
}

function add(state, entry) {
  return { ...state, entries: [...state.entries, entry].slice(-MOST_ENTRIES) };
}

const turnKey = (turn) => `turn-${turn}`;
const replyKey = (reply) => `reply-${reply}`;

/** The words of a caller's entry: those that stand, and those that may change yet. */
export function wordsOf(entry) {
  if (entry.done) return { settled: entry.text, partial: "" };
  const said = Object.values(entry.utterances);
  const join = (final) => said.filter((one) => one.final === final && one.text).map((one) => one.text).join(" ");
  return { settled: join(true), partial: join(false) };
}

/** The words of a reply: heard, and not heard (yet, or never). Where the heard text is no beginning of the reply's, as
 * after a correction, it stands alone. */
export function partsOf(entry) {
  if (entry.text.startsWith(entry.heard)) {
    const rest = entry.text.slice(entry.heard.length);
    const space = rest.length - rest.trimStart().length; // is no word that was missed
    return { heard: entry.heard + rest.slice(0, space), rest: rest.slice(space) };
  }
  return { heard: entry.heard, rest: "" };
}
