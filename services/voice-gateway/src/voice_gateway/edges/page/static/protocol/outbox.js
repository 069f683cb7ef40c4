// Which messages must be sent again after a drop? Those that are numbered and not acknowledged. Pure.

/** One minute of 20 ms frames, longer than a call waits for its caller: about 2.6 MB of base64. */
export const CAPACITY = 3000;

/** Client messages from the moment they are numbered until the gateway has taken them in. When it is full the oldest
 * audio loses its samples and keeps its number: the gateway fills the gap with silence. */
export class Outbox {
  #waiting = [];
  #numbered = 0;
  #emptied = 0;
  #capacity;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** Messages that wait to be acknowledged. */
  get size() {
    return this.#waiting.length;
  }

  /** Number a message that is never sent again: SessionStart. */
  skip() {
    this.#numbered += 1;
    return this.#numbered;
  }

  /** Number a message and keep it. */
  add(message) {
    this.#numbered += 1;
    const numbered = { seq: this.#numbered, ...message };
    this.#waiting.push(numbered);
    if (this.#waiting.length - this.#emptied > this.#capacity) this.#emptyOldestAudio();
    return numbered;
  }

  /** The gateway has taken in everything up to `seq`. */
  acknowledge(seq) {
    while (this.#waiting.length && this.#waiting[0].seq <= seq) {
      if (isEmptied(this.#waiting.shift())) this.#emptied -= 1;
    }
  }

  /** What a new stream has to bring, in order. */
  unacknowledged() {
    return [...this.#waiting];
  }

  #emptyOldestAudio() {
    const oldest = this.#waiting.findIndex((message) => message.audio && message.audio.data);
    if (oldest < 0) {
      this.#waiting.shift(); // 3,000 typed turns without an answer: the first is given up
      return;
    }
    const { seq, audio } = this.#waiting[oldest];
    this.#waiting[oldest] = { seq, audio: { firstSample: audio.firstSample } };
    this.#emptied += 1;
  }
}

function isEmptied(message) {
  return Boolean(message.audio) && !message.audio.data;
}
