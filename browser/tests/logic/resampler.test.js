// Is speech the same at 16 kHz, and is what 16 kHz can't hold gone?

import assert from "node:assert/strict";
import { test } from "node:test";
import { Resampler, toInt16 } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/audio/resampler.js";
import { fromSamples, toFloats } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/protocol/base64.js";

const tone = (hz, rateHz, seconds = 0.5) => Float32Array.from({ length: rateHz * seconds }, (_, n) => Math.sin((2 * Math.PI * hz * n) / rateHz));
const converted = (input, fromHz, piece = 128) => {
  const resampler = new Resampler(fromHz, 16000);
  const output = [];
  for (let n = 0; n < input.length; n += piece) output.push(...resampler.push(input.subarray(n, n + piece)));
  return output;
};
const level = (samples) => Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
const decibels = (samples) => 20 * Math.log10(level(samples.slice(200, -200)) * Math.SQRT2);

for (const rateHz of [8000, 16000, 22050, 32000, 44100, 48000, 96000]) {
  test(`a tone at ${rateHz} Hz keeps its level, its length and its place`, () => {
    const output = converted(tone(1000, rateHz), rateHz);
    assert.ok(Math.abs(decibels(output)) < 0.1, `${decibels(output)} dB`);
    assert.ok(Math.abs(output.length - 8000) < 32);
    const expected = tone(1000, 16000);
    const error = level(output.slice(200, 7000).map((value, n) => value - expected[n + 200]));
    assert.ok(error < 0.003, `error ${error}`);
  });
}

for (const [rateHz, hz] of [[48000, 9000], [48000, 15000], [44100, 12000], [96000, 30000]]) {
  test(`${hz} Hz at ${rateHz} Hz leaves no alias`, () => {
    assert.ok(decibels(converted(tone(hz, rateHz), rateHz)) < -60);
  });
}

test("it does not matter in which pieces audio comes", () => {
  const input = tone(440, 44100, 0.1);
  assert.deepEqual(converted(input, 44100, 128), converted(input, 44100, 1000));
});

test("samples survive base64, and loud ones are cut and not turned over", () => {
  assert.deepEqual([...toInt16(Float32Array.of(0, 2, -2, 0.5))], [0, 32767, -32768, 16384]);
  assert.equal(fromSamples(Int16Array.of(1, -1, 32767, -32768)), "AQD///9/AIA=");
  assert.deepEqual([...toFloats("AQD///9/AIA=")].map((value) => value * 32768), [1, -1, 32767, -32768]);
});
