// How does a call stay connected? Over one WebSocket after another; what was not acknowledged is sent again.
//
//   open ── started ──▶ online ── ended, hang up ──▶ over
//                         │  ▲
//    dropped, or silent   ▼  │ started (resumed), unacknowledged messages again
//                    reconnecting ── the call's life is over, or refused ──▶ over

import { delayMs } from "./backoff.js";
import { urlSafe } from "./base64.js";
import { mayTryAgain, NORMAL, sentenceOf } from "./closes.js";
import { Inbox } from "./inbox.js";
import { eventOf, numbersOf } from "./messages.js";
import { Outbox } from "./outbox.js";

const FORM = "voice_workflow.v1.json";
const TOKEN = "base64url.bearer.voice_workflow.";
const BEAT_MS = 400;
/** The gateway takes a link for broken that brings nothing for 0.5 s and more. */
const SILENT_MS = 6000;
/** The gateway acknowledges once a second: after so long without a message the WebSocket is given up. */
const MAX_BUFFERED_BYTES = 512 * 1024;
/** Eight seconds of audio that the network did not take. */
const FIRST_TRIES = 4;
/** For a call that has not begun: a gateway that drains, or a phone that changes its network. */

/** `onEvent(event)` for everything the gateway tells; `onLink(state, detail)` for connecting, online, reconnecting, over.
 * `clock` and `WebSocket` are the browser's, or a test's. */
export class Connection {
  #options;
  #outbox = new Outbox();
  #inbox = new Inbox();
  #socket = null;
  #token = "";
  #lifeMs = 0;
  #droppedAt = null;
  #attempt = 0;
  #beat = null;
  #timer = null;
  #lastSent = 0;
  #lastReceived = 0;
  #lastError = null;
  #hangingUp = false;
  #over = false;
  #startSeq = 0;

  constructor(options) {
    this.#options = { clock: globalThis, WebSocket: globalThis.WebSocket, random: Math.random, credential: "", ...options };
  }

  /** Connect, and begin the call. */
  open() {
    this.#startSeq = this.#outbox.skip();
    this.#link("connecting");
    this.#dial();
  }

  /** Send a message of the contract; it is kept until the gateway has taken it in. */
  send(message) {
    if (this.#over || this.#hangingUp) return;
    const numbered = this.#outbox.add(message);
    if (this.#isOnline) this.#write(numbered);
  }

  /** End the call. */
  hangUp() {
    if (this.#over || this.#hangingUp) return;
    this.send({ end: {} });
    this.#hangingUp = true;
    if (!this.#isOnline) this.#end("ended", "");
  }

  /** Where the link is cut by whoever tests it. */
  get socket() {
    return this.#socket;
  }

  get #isOnline() {
    return this.#beat !== null;
  }

  #dial() {
    const { WebSocket, url, credential } = this.#options;
    const forms = credential ? [FORM, TOKEN + urlSafe(credential)] : [FORM];
    const socket = new WebSocket(url, forms);
    this.#socket = socket;
    this.#lastError = null;
    socket.onopen = () => socket === this.#socket && this.#begin();
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#closed(code, reason);
  }

  #begin() {
    if (this.#token) {
      const resume = { token: this.#token, lastServerSeq: this.#inbox.ack };
      this.#write({ start: { resume } });
    } else {
      this.#write({ seq: this.#startSeq, start: this.#options.start });
    }
  }

  #write(message) {
    this.#lastSent = this.#options.clock.performance.now();
    this.#socket.send(JSON.stringify({ ...message, ack: this.#inbox.ack }));
  }

  #receive(message) {
    this.#lastReceived = this.#options.clock.performance.now();
    const { seq, ack } = numbersOf(message);
    this.#outbox.acknowledge(ack);
    const arrival = this.#inbox.take(seq);
    if (arrival === "gap") this.#drop();
    if (arrival !== "new") return;
    const event = eventOf(message);
    if (event === null) return;
    if (event.type === "started") this.#started(event);
    if (event.type === "error") this.#lastError = event;
    if (event.type === "ended") return this.#end(event.reason, event.sentence);
    // What ends a WebSocket is told with its close code.
    if (!(event.type === "error" && event.fatal && seq === 0)) this.#options.onEvent(event);
  }

  #started(event) {
    this.#token = event.token;
    this.#lifeMs = event.resumeLifeS * 1000;
    this.#droppedAt = null;
    this.#attempt = 0;
    this.#beat = this.#options.clock.setInterval(() => this.#look(), BEAT_MS);
    this.#link("online");
    for (const message of this.#outbox.unacknowledged()) this.#write(message);
  }

  /** Twice or so a second: say something if nothing was said, and notice a link that stands still. */
  #look() {
    const now = this.#options.clock.performance.now();
    if (now - this.#lastSent >= BEAT_MS) this.#write({});
    const isSilent = this.#outbox.size > 0 && now - this.#lastReceived >= SILENT_MS;
    if (isSilent || this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) this.#drop();
  }

  #drop() {
    const socket = this.#socket;
    this.#closed(1006, "");
    socket.close(4900);
  }

  #closed(code, reason) {
    this.#options.clock.clearInterval(this.#beat);
    this.#beat = null;
    this.#socket = null;
    if (this.#over) return;
    if (this.#hangingUp || code === NORMAL) return this.#end("ended", "");
    const sentence = this.#lastError?.sentence || sentenceOf(code, reason);
    const now = this.#options.clock.performance.now();
    this.#droppedAt ??= now;
    this.#attempt += 1;
    const waitMs = delayMs(this.#attempt, (this.#lastError?.retryAfterS ?? 0) * 1000, this.#options.random());
    const inTime = this.#token ? now + waitMs - this.#droppedAt < this.#lifeMs : this.#attempt < FIRST_TRIES;
    if (!mayTryAgain(code) || !inTime) return this.#end("lost", sentence, code);
    this.#link(this.#token ? "reconnecting" : "connecting", { sentence });
    this.#timer = this.#options.clock.setTimeout(() => this.#dial(), waitMs);
  }

  #end(reason, sentence, code = NORMAL) {
    this.#over = true;
    this.#options.clock.clearInterval(this.#beat);
    this.#options.clock.clearTimeout(this.#timer);
    this.#beat = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(NORMAL);
    this.#link("over", { reason, sentence, code });
  }

  #link(state, detail = {}) {
    this.#options.onLink(state, detail);
  }
}
