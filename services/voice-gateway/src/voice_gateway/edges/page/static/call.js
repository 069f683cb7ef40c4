// What is one call? A connection, a microphone, a speaker and a conversation, kept in step.
//
//   microphone ──frames──▶ connection ──events──▶ conversation ──▶ onChange
//   speaker ◀──audio────── connection
//   speaker ──what was heard──▶ connection, conversation

import { openMicrophone } from "./audio/microphone.js";
import { openSpeaker } from "./audio/speaker.js";
import { fromSamples } from "./protocol/base64.js";
import { UNAUTHENTICATED } from "./protocol/closes.js";
import { Connection } from "./protocol/connection.js";
import { EMPTY, step } from "./state/conversation.js";
import { modeUpdate, startOf } from "./state/settings.js";

const SPEAKER_ACTIONS = {
  REPLY_HELD: "hold",
  REPLY_RESUMED: "resume",
  REPLY_ENDED: "complete",
  REPLY_INTERRUPTED: "flush",
  REPLY_RETRACTED: "flush",
};
const GOING = {
  DRAINING: "This gateway will close soon. The conversation goes on until then.",
  MAX_DURATION: "This conversation has nearly reached its longest time.",
};

export class Call {
  link = "offline";
  conversation = EMPTY;
  isPlaying = false;
  hasMicrophone = false;
  isMuted = false;
  isHeld = false;

  #connection;
  #settings;
  #on;
  #microphone = null;
  #speaker = null;
  #samples = 0;
  #waiting = []; // typed before the call had begun
  #outputHz = 0;
  #notices = 0;

  /** `on` = {change(), level(level), trouble(sentence), token(sentence)}; `entries` of a conversation before this one stay. */
  constructor(settings, credential, entries, on) {
    this.#settings = settings;
    this.#on = on;
    this.conversation = { ...EMPTY, entries };
    this.#connection = new Connection({
      url: new URL("/v1/converse", location.href.replace(/^http/, "ws")).href,
      credential,
      start: startOf(settings),
      onEvent: (event) => this.#take(event),
      onLink: (state, detail) => this.#linked(state, detail),
    });
  }

  get isOver() {
    return this.link === "offline" || this.link === "lost";
  }

  /** Begin: with the microphone, or for typed turns alone. */
  async begin({ speaks }) {
    this.#connection.open();
    if (speaks) await this.addMicrophone();
  }

  /** Ask the browser for the microphone. */
  async addMicrophone() {
    try {
      const microphone = await openMicrophone((samples, level) => this.#hear(samples, level), (sentence) => this.#microphoneLost(sentence));
      if (this.isOver) return await microphone.close();
      this.#microphone = microphone;
      this.hasMicrophone = true;
      this.#on.change();
    } catch (error) {
      this.#on.trouble(error.message);
    }
  }

  /** A typed turn. */
  type(text) {
    if (this.link === "connecting") this.#waiting.push(text);
    else this.#connection.send({ text: { text } });
  }

  /** Stop the reply, at once here and then there. */
  interrupt() {
    const { replying } = this.conversation;
    if (!replying && !this.isPlaying) return;
    if (replying) this.#speaker?.hold(replying);
    this.#connection.send({ interrupt: {} });
  }

  /** Send silence instead of what the microphone hears, or what it hears again. */
  mute(muted) {
    this.isMuted = muted;
    this.#on.change();
  }

  /** Push-to-talk: from now on what the microphone hears is a turn; over a reply it interrupts. */
  hold() {
    this.isHeld = true;
    this.interrupt();
    this.#on.change();
  }

  /** Push-to-talk: the turn is over. */
  release() {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#connection.send({ commit: {} });
    this.#on.change();
  }

  /** Speak freely, or hold to talk, from now on. */
  setMode(mode) {
    this.#settings = { ...this.#settings, mode };
    if (!this.isOver) this.#connection.send(modeUpdate(mode));
    this.#on.change();
  }

  get mode() {
    return this.#settings.mode;
  }

  hangUp() {
    this.#connection.hangUp();
  }

  #hear(samples, level) {
    const speaks = this.mode === "hold" ? this.isHeld : !this.isMuted;
    this.#on.level(speaks ? level : 0);
    // Silence, not nothing, between turns: the input audio is the clock of the playout reports.
    if (!speaks) samples.fill(0);
    if (this.link === "online" || this.link === "reconnecting") {
      this.#connection.send({ audio: { data: fromSamples(samples), firstSample: this.#samples } });
      this.#samples += samples.length;
    }
  }

  #take(event) {
    if (event.type === "started") this.#started(event);
    if (event.type === "replyAudio") this.#speaker?.play(event);
    if (event.type === "turn" && event.kind in SPEAKER_ACTIONS) this.#speaker?.[SPEAKER_ACTIONS[event.kind]](event.reply);
    if (event.type === "error") this.#on.trouble(event.sentence);
    if (event.type === "goAway") this.#notice(GOING[event.reason] ?? "This gateway will close soon.");
    if (event.type !== "replyAudio") this.#step(event);
  }

  #started(event) {
    if (event.resumed) return;
    this.#outputHz = event.outputHz;
    this.#speaker = laterSpeaker(openSpeaker(event.outputHz, (report) => this.#heard(report), (is) => this.#played(is)));
    for (const text of this.#waiting.splice(0)) this.type(text);
  }

  #heard({ reply, played, final }) {
    this.#connection.send({ playout: { reply, samplesPlayed: played, inputSample: this.#samples, final } });
    this.#step({ type: "heard", reply, seconds: played / this.#outputHz });
  }

  #played(is) {
    this.isPlaying = is;
    this.#on.change();
  }

  #linked(state, { reason, sentence, code }) {
    this.link = state === "over" ? (reason === "lost" ? "lost" : "offline") : state;
    if (state === "over") this.#finish(reason, sentence, code);
    this.#on.change();
  }

  #finish(reason, sentence, code) {
    this.#microphone?.close();
    this.#speaker?.close();
    this.#microphone = this.#speaker = null;
    this.hasMicrophone = this.isPlaying = this.isHeld = false;
    this.#on.level(0);
    this.#step({ type: "ended", reason });
    if (code === UNAUTHENTICATED) this.#on.token(sentence);
    else if (sentence) this.#on.trouble(sentence);
  }

  #microphoneLost(sentence) {
    this.#microphone?.close();
    this.#microphone = null;
    this.hasMicrophone = false;
    this.#on.trouble(sentence);
    this.#on.change();
  }

  #notice(text) {
    this.#notices += 1;
    this.#step({ type: "notice", id: this.#notices, text, tone: "warning" });
  }

  #step(event) {
    this.conversation = step(this.conversation, event);
    this.#on.change();
  }
}

/** A speaker that may not be open yet: what it is told waits, in order. */
function laterSpeaker(opening) {
  const tell = (name) => (...values) => opening.then((speaker) => speaker[name](...values));
  return Object.fromEntries(["play", "complete", "hold", "resume", "flush", "close"].map((name) => [name, tell(name)]));
}
