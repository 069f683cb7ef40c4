// What comes out of the speaker? What the playout says; its reports go back to the page.

import { Playout } from "./playout.js";

class Speaker extends AudioWorkletProcessor {
  #playout = new Playout(sampleRate);
  #wasPlaying = false;

  constructor() {
    super();
    this.port.onmessage = ({ data: { action, reply, offset, floats } }) => {
      if (action === "add") this.#playout.add(reply, offset, floats);
      else if (action === "complete") this.#playout.complete(reply);
      else if (action === "flush") this.#playout.flush(reply);
      else this.#playout.hold(reply, action === "hold");
      this.#tell();
    };
  }

  process(_, [[output]]) {
    this.#playout.fill(output);
    this.#tell();
    return true;
  }

  #tell() {
    for (const report of this.#playout.takeReports()) this.port.postMessage({ report });
    if (this.#playout.isPlaying !== this.#wasPlaying) {
      this.#wasPlaying = this.#playout.isPlaying;
      this.port.postMessage({ playing: this.#wasPlaying });
    }
  }
}

registerProcessor("speaker", Speaker);
