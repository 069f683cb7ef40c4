// What does a message of the gateway say? JSON mapping of voice_workflow.v1 to events with every field set. Pure.

const number = (value) => Number(value ?? 0);

const TURN_KINDS = new Set([
  "SPEECH_STARTED", "SPEECH_STOPPED", "TURN_ENDED", "REPLY_STARTED", "REPLY_HELD", "REPLY_RESUMED",
  "REPLY_RETRACTED", "REPLY_INTERRUPTED", "REPLY_ENDED", "REPLY_TRUNCATED",
]);

/** Numbers that every message carries. */
export function numbersOf(message) {
  return { seq: number(message.seq), ack: number(message.ack), consumed: number(message.inputSamplesConsumed) };
}

/** The event in a message; null for a bare acknowledgement, or for something this page does not know. */
export function eventOf(message) {
  if (message.started) return started(message.started);
  if (message.transcript) return transcript(message.transcript);
  if (message.turn) return turn(message.turn);
  if (message.replyText) {
    return { type: "replyText", reply: number(message.replyText.reply), delta: message.replyText.delta ?? "" };
  }
  if (message.replyAudio) {
    const { reply, offset, data } = message.replyAudio;
    return { type: "replyAudio", reply: number(reply), offset: number(offset), data: data ?? "" };
  }
  if (message.latency) return latency(message.latency);
  if (message.goAway) return { type: "goAway", reason: message.goAway.reason, deadlineS: number(message.goAway.deadlineS) };
  if (message.error) return error(message.error);
  if (message.ended) return { type: "ended", reason: message.ended.reason ?? "", sentence: message.ended.message ?? "" };
  return null;
}

function started(message) {
  return {
    type: "started",
    session: message.sessionId,
    inputHz: number(message.input.sampleRateHz),
    outputHz: number(message.output.sampleRateHz),
    token: message.resumeToken ?? "",
    resumeLifeS: number(message.resumeLifeS),
    resumed: message.resumed ?? false,
  };
}

function transcript(message) {
  return {
    type: "transcript",
    turn: number(message.turn),
    utterance: number(message.utterance),
    text: message.text ?? "",
    final: message.final ?? false,
    stability: number(message.stability),
  };
}

function turn(message) {
  if (!TURN_KINDS.has(message.kind)) return null;
  return {
    type: "turn",
    kind: message.kind,
    turn: number(message.turn),
    reply: number(message.reply),
    text: message.text ?? "",
    heardText: message.heardText ?? "",
    heardMs: number(message.heardMs),
  };
}

function latency({ turn: ofTurn, reply, ...parts }) {
  return { type: "latency", turn: number(ofTurn), reply: number(reply), parts };
}

function error(message) {
  return {
    type: "error",
    code: message.code ?? "",
    sentence: message.message ?? "",
    retryAfterS: message.retryable ? number(message.retryAfterS) : null,
    fatal: message.fatal ?? false,
  };
}
