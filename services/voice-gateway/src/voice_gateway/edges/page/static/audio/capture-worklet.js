// What does the microphone hear? Frames of 20 ms, 16 kHz, PCM16, each with its level.

import { Resampler, toInt16 } from "./resampler.js";

const RATE_HZ = 16000;
const FRAME = 320;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE_HZ);
  #frame = new Float32Array(FRAME);
  #filled = 0;

  process([input]) {
    // Before the microphone is connected there is no channel: then no time passes in its audio either.
    if (input[0]) this.#take(this.#resampler.push(input[0]));
    return true;
  }

  #take(samples) {
    for (const sample of samples) {
      this.#frame[this.#filled] = sample;
      this.#filled += 1;
      if (this.#filled === FRAME) this.#send();
    }
  }

  #send() {
    const level = Math.sqrt(this.#frame.reduce((sum, sample) => sum + sample * sample, 0) / FRAME);
    const samples = toInt16(this.#frame);
    this.#filled = 0;
    this.port.postMessage({ samples, level }, [samples.buffer]);
  }
}

registerProcessor("capture", Capture);
