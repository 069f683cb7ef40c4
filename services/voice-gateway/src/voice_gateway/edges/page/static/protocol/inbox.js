// Which messages of the gateway came already, and is one missing? Pure.

export class Inbox {
  /** Highest number received without a gap. */
  ack = 0;

  /** "new", "repeated", or "gap": something before it was lost on the way. Messages without a number are always new. */
  take(seq) {
    if (seq === 0) return "new";
    if (seq <= this.ack) return "repeated";
    if (seq !== this.ack + 1) return "gap";
    this.ack = seq;
    return "new";
  }
}
