// What is sent again after a drop?

import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/protocol/inbox.js";
import { Outbox } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/protocol/outbox.js";

const audio = (firstSample) => ({ audio: { data: "AAA=", firstSample } });
const numbers = (outbox) => outbox.unacknowledged().map(({ seq }) => seq);

test("what was not acknowledged is kept in order, the rest is forgotten", () => {
  const outbox = new Outbox();
  assert.equal(outbox.skip(), 1);
  for (let n = 0; n < 4; n += 1) outbox.add(audio(320 * n));
  assert.deepEqual(numbers(outbox), [2, 3, 4, 5]);
  outbox.acknowledge(3);
  assert.deepEqual(numbers(outbox), [4, 5]);
  outbox.acknowledge(1);
  assert.deepEqual(numbers(outbox), [4, 5]);
});

test("a full box empties the oldest audio and loses no number and no other message", () => {
  const outbox = new Outbox(3);
  outbox.add({ text: { text: "kept" } });
  for (let n = 0; n < 5; n += 1) outbox.add(audio(320 * n));
  assert.deepEqual(numbers(outbox), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(outbox.unacknowledged().map(({ audio: one }) => Boolean(one?.data)), [false, false, false, false, true, true]);
  assert.deepEqual(outbox.unacknowledged()[1], { seq: 2, audio: { firstSample: 0 } });
  outbox.acknowledge(6);
  assert.equal(outbox.size, 0);
});

test("a box full of what is no audio stays bounded", () => {
  const outbox = new Outbox(3);
  for (let n = 0; n < 10; n += 1) outbox.add({ text: { text: `${n}` } });
  assert.equal(outbox.size, 3);
});

test("a message that came already is repeated, one too far is a gap", () => {
  const inbox = new Inbox();
  assert.deepEqual([0, 1, 2, 2, 1, 4, 3].map((seq) => inbox.take(seq)), ["new", "new", "new", "repeated", "repeated", "gap", "new"]);
  assert.equal(inbox.ack, 3);
});
