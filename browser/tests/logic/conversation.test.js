// What stands in the transcript after which events?

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventOf } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/protocol/messages.js";
import { EMPTY, partsOf, step, wordsOf } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/state/conversation.js";
import { timingOf, timingSentence } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/state/timing.js";

/** Messages as the gateway writes them, and the speaker's own events. */
const play = (...messages) => messages.reduce((state, message) => step(state, message.type ? message : eventOf(message)), EMPTY);
const started = { started: { sessionId: "call-1", input: { sampleRateHz: 16000 }, output: { sampleRateHz: 22050 } } };
const partial = (text, utterance = "1") => ({ transcript: { turn: "1", utterance, text } });
const final = (text, utterance = "1") => ({ transcript: { turn: "1", utterance, text, final: true } });
const turn = (kind, more = {}) => ({ turn: { kind, turn: "1", ...more } });
const reply = (kind, more = {}) => turn(kind, { reply: "1", ...more });
const says = (delta) => ({ replyText: { reply: "1", delta } });

test("partials become finals, and the turn's own words in the end", () => {
  const heard = play(started, turn("SPEECH_STARTED"), partial("what is"), final("What is"), partial("the ti", "2"));
  assert.equal(heard.phase, "hearing");
  assert.deepEqual(wordsOf(heard.entries[0]), { settled: "What is", partial: "the ti" });
  const ended = step(heard, eventOf(turn("TURN_ENDED", { text: "What is the time?" })));
  assert.equal(ended.phase, "thinking");
  assert.deepEqual(wordsOf(ended.entries[0]), { settled: "What is the time?", partial: "" });
  assert.deepEqual(ended.finals, ["What is the time?"]);
  const late = step(ended, eventOf(partial("What is the time")));
  assert.deepEqual(wordsOf(late.entries[0]), { settled: "What is the time?", partial: "" });
  assert.deepEqual(late.finals, []);
});

test("words of a reply are heard bit by bit, and all of them at its end", () => {
  const speaking = play(started, reply("REPLY_STARTED"), says("It is noon, "), says("as it was yesterday."), { type: "heard", reply: 1, seconds: 0.8 });
  assert.equal(speaking.phase, "speaking");
  assert.deepEqual(partsOf(speaking.entries[0]), { heard: "It is noon, ", rest: "as it was yesterday." });
  const ended = step(speaking, eventOf(reply("REPLY_ENDED", { text: "It is noon, as it was yesterday." })));
  assert.deepEqual(partsOf(ended.entries[0]), { heard: "It is noon, as it was yesterday.", rest: "" });
  assert.equal(ended.phase, "listening");
  assert.deepEqual(ended.finals, []);
});

test("of an interrupted reply stands what was heard, and what was not", () => {
  const said = [started, reply("REPLY_STARTED"), says("One two three four five six."), reply("REPLY_HELD")];
  const cut = play(...said, reply("REPLY_INTERRUPTED", { heardText: "One two" }));
  assert.deepEqual(partsOf(cut.entries[0]), { heard: "One two ", rest: "three four five six." });
  const truncated = step(cut, eventOf(reply("REPLY_TRUNCATED", { heardText: "One two three" })));
  assert.equal(partsOf(truncated.entries[0]).heard, "One two three ");
  const late = step(truncated, { type: "heard", reply: 1, seconds: 60 });
  assert.equal(partsOf(late.entries[0]).heard, "One two three ");
});

test("a reply that is retracted leaves nothing, and one that is resumed goes on", () => {
  assert.deepEqual(play(started, reply("REPLY_STARTED"), says("Never mind."), reply("REPLY_RETRACTED")).entries, []);
  const resumed = play(started, reply("REPLY_STARTED"), says("Go on."), reply("REPLY_HELD"), reply("REPLY_RESUMED"));
  assert.equal(resumed.entries[0].status, "speaking");
});

test("an entry that did not change is the same object", () => {
  const before = play(started, final("Hello."), turn("TURN_ENDED", { text: "Hello." }), reply("REPLY_STARTED"));
  const after = step(before, eventOf(says("Hi.")));
  assert.equal(after.entries[0], before.entries[0]);
  assert.notEqual(after.entries[1], before.entries[1]);
});

test("the transcript is bounded", () => {
  let state = EMPTY;
  for (let n = 0; n < 1000; n += 1) state = step(state, { type: "notice", id: n, text: "x", tone: "" });
  assert.equal(state.entries.length, 400);
});

test("what this page does not know changes nothing", () => {
  assert.equal(eventOf({ turn: { kind: "SOMETHING_NEW", turn: "1" } }), null);
  assert.equal(eventOf({ toolCallCancelled: { id: "7" } }), null);
  assert.equal(eventOf({ ack: "3" }), null);
});

test("the parts of a spoken turn stand on one line, those of an answer begun early overlap", () => {
  const late = timingOf({ asrFinalLatency: 0.2, endpointingDelay: 0.4, llmTtft: 0.1, firstPhraseDelay: 0.05, ttsTtfb: 0.1, gatewayResponseLatency: 0.65, voiceToVoice: 0.75 });
  assert.deepEqual(late.bars.map(({ id, lane }) => [id, lane]), [["hear", 0], ["decide", 0], ["model", 1], ["phrase", 1], ["voice", 1], ["way", 1]]);
  assert.ok(Math.abs(late.bars[2].fromS - 0.4) < 1e-9);
  assert.equal(late.totalS, 0.75);
  assert.match(timingSentence(late), /^Answered after 750 ms: hearing the last words 200 ms, .*on the way to your ear 100 ms\.$/);
  const early = timingOf({ endpointingDelay: 0.4, llmTtft: 0.3, ttsTtfb: 0.2, gatewayResponseLatency: 0.42 });
  assert.ok(early.bars.find(({ id }) => id === "model").fromS < 0.4);
  for (const { fromS, toS } of [...late.bars, ...early.bars]) assert.ok(fromS >= 0 && toS <= 0.75);
});

test("of a typed turn only the making of the answer is drawn", () => {
  const typed = play(started, turn("TURN_ENDED", { text: "hi" }), reply("REPLY_STARTED"), says("Hello."), {
    latency: { turn: "1", reply: "1", endpointingDelay: 7, gatewayResponseLatency: 7.1, llmTtft: 0.1, ttsTtfb: 0.1 },
  });
  assert.equal(timingOf(typed.entries[1].latency).totalS, 0.2);
  assert.equal(timingOf(null), null);
  assert.equal(timingOf({ turn: 1 }), null);
});
