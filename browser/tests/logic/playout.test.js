// What is played, and what is said to be heard?

import assert from "node:assert/strict";
import { test } from "node:test";
import { Playout } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/audio/playout.js";

const RATE = 1000;
/** Samples that say which they are. */
const ramp = (first, count) => Float32Array.from({ length: count }, (_, n) => first + n + 1);
const play = (playout, count) => {
  const output = new Float32Array(count);
  playout.fill(output);
  return [...output];
};

test("a reply begins once the prebuffer is there, and plays without a gap", () => {
  const playout = new Playout(RATE);
  playout.add(1, 0, ramp(0, 40));
  assert.deepEqual(play(playout, 10), Array(10).fill(0));
  playout.add(1, 40, ramp(40, 40));
  assert.deepEqual(play(playout, 50), [...ramp(0, 50)]);
  assert.deepEqual(play(playout, 30), [...ramp(50, 30)]);
});

test("a short reply that is complete does not wait for the prebuffer", () => {
  const playout = new Playout(RATE);
  playout.add(1, 0, ramp(0, 5));
  playout.complete(1);
  assert.deepEqual(play(playout, 6), [1, 2, 3, 4, 5, 0]);
  assert.deepEqual(playout.takeReports(), [{ reply: 1, played: 5, final: true }]);
});

test("reports come while it plays, and a final one at the end", () => {
  const playout = new Playout(RATE);
  playout.add(1, 0, ramp(0, 500));
  for (let n = 0; n < 10; n += 1) play(playout, 50);
  assert.deepEqual(playout.takeReports().map(({ played, final }) => [played, final]), [[200, false], [400, false]]);
  playout.complete(1);
  play(playout, 1);
  assert.deepEqual(playout.takeReports(), [{ reply: 1, played: 500, final: true }]);
});

test("a flush is silent at once and says what was heard", () => {
  const playout = new Playout(RATE);
  playout.add(1, 0, ramp(0, 300));
  play(playout, 70);
  playout.flush(1);
  assert.deepEqual(play(playout, 5), [0, 0, 0, 0, 0]);
  assert.deepEqual(playout.takeReports(), [{ reply: 1, played: 70, final: true }]);
  playout.add(1, 300, ramp(300, 100)); // late
  assert.deepEqual(play(playout, 5), [0, 0, 0, 0, 0]);
});

test("a held reply is silent, and goes on where it was", () => {
  const playout = new Playout(RATE);
  playout.add(1, 0, ramp(0, 300));
  play(playout, 10);
  playout.hold(1, true);
  assert.deepEqual(play(playout, 3), [0, 0, 0]);
  playout.hold(1, false);
  assert.deepEqual(play(playout, 3), [11, 12, 13]);
});

test("audio that comes twice after a reconnect is played once", () => {
  const playout = new Playout(RATE);
  playout.add(1, 0, ramp(0, 80));
  playout.add(1, 40, ramp(40, 80));
  playout.add(1, 0, ramp(0, 60));
  assert.deepEqual(play(playout, 120), [...ramp(0, 120)]);
});

test("after a drought the next prebuffer is longer, up to a bound", () => {
  const playout = new Playout(RATE);
  const seen = [];
  for (let n = 0, at = 0; n < 4; n += 1) {
    playout.add(1, at, ramp(at, 300));
    at += 300;
    play(playout, 310);
    seen.push(playout.prebufferS);
  }
  assert.deepEqual(seen, [0.12, 0.24, 0.24, 0.24]);
});

test("replies play one after another", () => {
  const playout = new Playout(RATE);
  playout.add(1, 0, ramp(0, 70));
  playout.add(2, 0, ramp(1000, 70));
  assert.deepEqual(play(playout, 72).slice(68), [69, 70, 1001, 1002]);
  assert.deepEqual(playout.takeReports(), [{ reply: 1, played: 70, final: true }]);
});

test("what is buffered is bounded", () => {
  const playout = new Playout(RATE);
  for (let n = 0; n < 100; n += 1) playout.add(1, n * RATE, ramp(0, RATE));
  let heard = 0;
  for (let n = 0; n < 100; n += 1) heard += play(playout, RATE).filter(Boolean).length;
  assert.equal(heard, 60 * RATE);
});
