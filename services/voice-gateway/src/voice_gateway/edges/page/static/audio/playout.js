// What does the speaker play, and what was heard of each reply? A small jitter buffer. Pure: the worklet calls it.
//
//   audio ──▶ buffer ──(prebuffer reached)──▶ playing ──▶ drained, and the gateway said that it ended: final
//               │  held: silence until resumed
//               │  flushed: final at once
//
// Replies play one after another. A reply that runs dry in its middle waits for a longer prebuffer: the network jitters.

const PREBUFFER_S = 0.06;
/** Three 20 ms messages; after each drought twice as much, at most MOST_PREBUFFER_S. */
const MOST_PREBUFFER_S = 0.24;
const REPORT_EVERY_S = 0.2;
const MAX_BUFFERED_S = 60;
/** The gateway is seconds ahead at most; beyond a minute audio is dropped. */

export class Playout {
  #rateHz;
  #prebufferS = PREBUFFER_S;
  #replies = [];
  #reports = [];
  #overTo = 0; // replies are numbered upwards: what comes late of one up to here is not played
  #sinceReport = 0;

  constructor(rateHz) {
    this.#rateHz = rateHz;
  }

  /** Whether something is being played at this moment. */
  get isPlaying() {
    return this.#replies.length > 0 && this.#replies[0].running;
  }

  /** How much audio waits before a reply begins, seconds. */
  get prebufferS() {
    return this.#prebufferS;
  }

  /** Audio of a reply, from sample `offset` on. */
  add(number, offset, floats) {
    if (number <= this.#overTo) return;
    const reply = this.#find(number);
    // After a reconnect the gateway may repeat the end of what it sent before.
    const fresh = floats.subarray(Math.min(floats.length, Math.max(0, reply.received - offset)));
    if (!fresh.length || reply.buffered + fresh.length > MAX_BUFFERED_S * this.#rateHz) return;
    reply.chunks.push(fresh);
    reply.buffered += fresh.length;
    reply.received = Math.max(reply.received, offset) + fresh.length;
  }

  /** No more audio will come. */
  complete(number) {
    if (number <= this.#overTo) return;
    this.#find(number).complete = true;
    this.#settle();
  }

  /** Be silent, and keep what was not played; or go on. */
  hold(number, held) {
    if (number > this.#overTo) this.#find(number).held = held;
  }

  /** Drop what was not played. */
  flush(number) {
    if (number <= this.#overTo) return;
    const reply = this.#find(number);
    Object.assign(reply, { chunks: [], buffered: 0, complete: true, held: false });
    this.#settle();
  }

  /** Fill `output` (Float32Array) with what is heard next. */
  fill(output) {
    let filled = 0;
    while (filled < output.length && this.#replies.length && this.#mayRun(this.#replies[0])) {
      filled += cut(this.#replies[0], output, filled);
      this.#settle();
    }
    output.fill(0, filled);
    this.#note(output.length);
  }

  /** What to tell the gateway since the last time: {reply, played, final}. */
  takeReports() {
    return this.#reports.splice(0);
  }

  #note(count) {
    const reply = this.#replies[0];
    this.#sinceReport += count;
    if (!reply || this.#sinceReport < REPORT_EVERY_S * this.#rateHz) return;
    this.#sinceReport = 0;
    if (reply.played > reply.reported) this.#report(reply, false);
  }

  #report(reply, final) {
    reply.reported = reply.played;
    this.#reports.push({ reply: reply.number, played: reply.played, final });
  }

  #find(number) {
    const known = this.#replies.find((reply) => reply.number === number);
    if (known) return known;
    // An older reply that the gateway forgot to end must not hold up this one.
    for (const older of this.#replies) older.complete = true;
    const reply = { number, chunks: [], buffered: 0, received: 0, played: 0, reported: 0, running: false, held: false, complete: false };
    this.#replies.push(reply);
    this.#settle();
    return reply;
  }

  #mayRun(reply) {
    if (reply.held) {
      reply.running = false;
    } else if (!reply.buffered) {
      if (reply.running) this.#prebufferS = Math.min(MOST_PREBUFFER_S, 2 * this.#prebufferS);
      reply.running = false;
    } else if (!reply.running) {
      reply.running = reply.complete || reply.buffered >= this.#prebufferS * this.#rateHz;
    }
    return reply.running;
  }

  /** Replies that are over go out of the way. */
  #settle() {
    for (const reply of this.#replies.filter((one) => one.complete && !one.buffered)) {
      this.#replies.splice(this.#replies.indexOf(reply), 1);
      this.#overTo = Math.max(this.#overTo, reply.number);
      this.#report(reply, true);
    }
  }
}

/** Move samples from the front of a reply's buffer to `output`; how many. */
function cut(reply, output, at) {
  const [chunk] = reply.chunks;
  const piece = chunk.subarray(0, output.length - at);
  output.set(piece, at);
  if (piece.length === chunk.length) reply.chunks.shift();
  else reply.chunks[0] = chunk.subarray(piece.length);
  reply.buffered -= piece.length;
  reply.played += piece.length;
  return piece.length;
}
