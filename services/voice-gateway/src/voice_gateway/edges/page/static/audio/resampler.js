// How does audio at the microphone's rate become 16 kHz? By a windowed sinc, phase by phase. Pure.

const ZERO_CROSSINGS = 12;
/** Of the sinc on each side. */
const PASSBAND = 0.92;
/** Of the smaller of both Nyquist frequencies: the rest is for the filter's slope. */

/** Takes floats at `fromHz`, gives floats at `toHz`; keeps what the next call needs. */
export class Resampler {
  #up;
  #down;
  #taps;
  #phases;
  #rest = new Float32Array(0);
  #position = 0;

  constructor(fromHz, toHz) {
    const common = gcd(fromHz, toHz);
    this.#up = toHz / common;
    this.#down = fromHz / common;
    const cutoff = PASSBAND * Math.min(1, toHz / fromHz);
    const half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.#taps = 2 * half;
    this.#phases = Array.from({ length: this.#up }, (_, phase) => filter(phase / this.#up, half, cutoff));
    // Silence before the first sample, so that the delay is half a filter and not more.
    this.#rest = new Float32Array(half - 1);
  }

  /** More audio; gives what can be told of it. */
  push(input) {
    const samples = new Float32Array(this.#rest.length + input.length);
    samples.set(this.#rest);
    samples.set(input, this.#rest.length);
    const output = [];
    let index = Math.floor(this.#position / this.#up);
    while (index + this.#taps <= samples.length) {
      const taps = this.#phases[this.#position % this.#up];
      let sum = 0;
      for (let i = 0; i < taps.length; i += 1) sum += taps[i] * samples[index + i];
      output.push(sum);
      this.#position += this.#down;
      index = Math.floor(this.#position / this.#up);
    }
    const used = Math.min(index, samples.length);
    this.#rest = samples.slice(used);
    this.#position -= used * this.#up;
    return Float32Array.from(output);
  }
}

/** The weights of the samples around a moment `fraction` of a sample after the one in the middle. */
function filter(fraction, half, cutoff) {
  const weights = new Float32Array(2 * half);
  let sum = 0;
  for (let i = 0; i < weights.length; i += 1) {
    const distance = i - (half - 1) - fraction;
    const x = Math.PI * cutoff * distance;
    const sinc = x === 0 ? 1 : Math.sin(x) / x;
    const inside = Math.abs(distance) <= half;
    weights[i] = inside ? sinc * (0.42 + 0.5 * Math.cos((Math.PI * distance) / half) + 0.08 * Math.cos((2 * Math.PI * distance) / half)) : 0;
    sum += weights[i];
  }
  return weights.map((weight) => weight / sum);
}

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}

/** Floats (-1..1) as 16-bit samples. */
export function toInt16(floats) {
  return Int16Array.from(floats, (value) => Math.max(-32768, Math.min(32767, Math.round(value * 32767))));
}
