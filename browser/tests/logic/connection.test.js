// How does a call stay connected? On a clock and a network of the test's own.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Connection } from "../../../services/voice-gateway/src/voice_gateway/edges/page/static/protocol/connection.js";

class Clock {
  now = 0;
  #timers = new Map();
  #next = 1;
  performance = { now: () => this.now };

  setTimeout = (run, ms) => this.#add(run, ms, 0);
  setInterval = (run, ms) => this.#add(run, ms, ms);
  clearTimeout = (id) => this.#timers.delete(id);
  clearInterval = (id) => this.#timers.delete(id);

  /** Time passes; what is due runs in order. */
  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [id, timer] = due;
      this.now = timer.at;
      if (timer.every) timer.at += timer.every;
      else this.#timers.delete(id);
      timer.run();
    }
    this.now = end;
  }

  #add(run, ms, every) {
    this.#timers.set(this.#next, { run, at: this.now + ms, every });
    this.#next += 1;
    return this.#next - 1;
  }
}

class FakeSocket {
  static all = [];
  sent = [];
  bufferedAmount = 0;
  closedWith = null;

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code;
  }

  tell(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  start(more = {}) {
    this.onopen();
    const started = { sessionId: "call-1", input: { sampleRateHz: 16000 }, output: { sampleRateHz: 22050 }, resumeToken: "tok", resumeLifeS: 15 };
    this.tell({ ack: more.resumed ? undefined : "1", ...more.numbers, started: { ...started, resumed: more.resumed } });
  }
}

let clock, links, events, connection;
const socket = () => FakeSocket.all.at(-1);
const open = (credential = "") => {
  connection = new Connection({
    url: "ws://gateway/v1/converse", credential, start: { input: {} }, clock, WebSocket: FakeSocket, random: () => 0,
    onEvent: (event) => events.push(event), onLink: (state, detail) => links.push({ state, ...detail }),
  });
  connection.open();
};

beforeEach(() => {
  [clock, links, events] = [new Clock(), [], []];
  FakeSocket.all = [];
});

test("a call begins with a numbered SessionStart, and what is sent is numbered after it", () => {
  open();
  socket().start();
  connection.send({ text: { text: "hello" } });
  assert.deepEqual(socket().sent, [{ seq: 1, start: { input: {} }, ack: 0 }, { seq: 2, text: { text: "hello" }, ack: 0 }]);
  assert.deepEqual(links.map(({ state }) => state), ["connecting", "online"]);
});

test("the token goes into a subprotocol", () => {
  open("a token/+=");
  assert.deepEqual(socket().protocols, ["voice_workflow.v1.json", "base64url.bearer.voice_workflow.YSB0b2tlbi8rPQ"]);
});

test("after a drop the call is resumed and what was not acknowledged is sent again", () => {
  open();
  socket().start();
  connection.send({ text: { text: "one" } });
  connection.send({ text: { text: "two" } });
  socket().tell({ seq: "1", ack: "2", turn: { kind: "TURN_ENDED", turn: "1", text: "one" } });
  socket().onclose({ code: 1006, reason: "" });
  connection.send({ text: { text: "three" } });
  clock.pass(1000);
  assert.equal(FakeSocket.all.length, 2);
  socket().start({ resumed: true, numbers: { ack: "2" } });
  const [start, ...again] = socket().sent;
  assert.deepEqual(start.start, { resume: { token: "tok", lastServerSeq: 1 } });
  assert.equal(start.seq, undefined);
  assert.deepEqual(again.map(({ seq, text }) => [seq, text.text]), [[3, "two"], [4, "three"]]);
  assert.deepEqual(links.map(({ state }) => state), ["connecting", "online", "reconnecting", "online"]);
});

test("events that come twice are told once, and after a gap the call is resumed", () => {
  open();
  socket().start();
  const said = (seq, text) => socket().tell({ seq, transcript: { turn: "1", text } });
  said("1", "a");
  said("1", "a");
  said("3", "c");
  assert.deepEqual(events.filter(({ type }) => type === "transcript").map(({ text }) => text), ["a"]);
  clock.pass(1000);
  socket().start({ resumed: true });
  assert.equal(socket().sent[0].start.resume.lastServerSeq, 1);
});

test("a link that brings nothing while the gateway owes an acknowledgement is given up", () => {
  open();
  socket().start();
  connection.send({ text: { text: "hello?" } });
  clock.pass(5000);
  assert.equal(FakeSocket.all.length, 1);
  clock.pass(2000);
  assert.equal(FakeSocket.all.length, 2);
  assert.equal(FakeSocket.all[0].closedWith, 4900);
});

test("a link that takes nothing more is given up", () => {
  open();
  socket().start();
  socket().bufferedAmount = 600_000;
  clock.pass(1000);
  assert.equal(FakeSocket.all.length, 2);
});

test("when nothing else is said, a beat goes out before half a second is over", () => {
  open();
  socket().start();
  clock.pass(10_000);
  const beats = socket().sent.filter((message) => !message.start).length;
  assert.ok(beats >= 20 && beats <= 30, `${beats} beats`);
});

test("the call is lost once its life is over", () => {
  open();
  socket().start();
  socket().onclose({ code: 1006, reason: "" });
  for (let n = 0; n < 30; n += 1) {
    clock.pass(1000);
    socket().onclose?.({ code: 1006, reason: "" });
  }
  const { state, reason, sentence } = links.at(-1);
  assert.deepEqual([state, reason], ["over", "lost"]);
  assert.match(sentence, /can't be reached/);
  assert.ok(FakeSocket.all.length < 15);
});

for (const [code, tries] of [[4016, 1], [4003, 1], [4005, 1], [4008, 1], [4014, 4], [1006, 4]]) {
  test(`a start that ends with ${code} is tried ${tries} times`, () => {
    open();
    for (let n = 0; n < 10; n += 1) {
      const one = socket();
      if (one.closedWith === null && one.onclose) {
        one.onopen();
        if (code > 4000) one.tell({ error: { message: "no, because", retryable: code === 4014, retryAfterS: 0.5, fatal: true } });
        one.onclose({ code, reason: "" });
        one.onclose = null;
      }
      clock.pass(5000);
    }
    assert.equal(FakeSocket.all.length, tries);
    assert.equal(links.at(-1).state, "over");
    assert.equal(links.at(-1).code, code);
    if (code > 4000) assert.equal(links.at(-1).sentence, "no, because");
    assert.deepEqual(events, []);
  });
}

test("the gateway says when to come back", () => {
  open();
  socket().onopen();
  socket().tell({ error: { message: "draining", retryable: true, retryAfterS: 2.5, fatal: true } });
  socket().onclose({ code: 4014, reason: "" });
  clock.pass(2400);
  assert.equal(FakeSocket.all.length, 1);
  clock.pass(200);
  assert.equal(FakeSocket.all.length, 2);
});

test("hanging up sends SessionEnd, and the call is over when the gateway says so", () => {
  open();
  socket().start();
  connection.hangUp();
  assert.deepEqual(socket().sent.at(-1).end, {});
  const last = socket();
  last.tell({ seq: "1", ended: { reason: "CALLER_ENDED" } });
  assert.deepEqual(links.at(-1), { state: "over", reason: "CALLER_ENDED", sentence: "", code: 1000 });
  assert.equal(last.closedWith, 1000);
  last.onclose({ code: 1000, reason: "" });
  clock.pass(10_000);
  assert.equal(FakeSocket.all.length, 1);
});
