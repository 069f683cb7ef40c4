// Where did the time of an answer go? The parts of a turn's latency as bars on one time line. Pure.

/** In the order of the legend; each has a colour of its own in the style sheet. */
export const PARTS = [
  { id: "hear", label: "Hearing the last words" },
  { id: "decide", label: "Waiting for the end of the turn" },
  { id: "model", label: "Model, to its first word" },
  { id: "phrase", label: "Model, to its first phrase" },
  { id: "voice", label: "Voice, to its first sound" },
  { id: "way", label: "On the way to your ear" },
];

/** The parts that say something of a typed turn: the others count from the last word that was spoken before. */
export function ofTypedTurn({ llmTtft, firstPhraseDelay, ttsTtfb }) {
  return { llmTtft, firstPhraseDelay, ttsTtfb };
}

/** {totalS, bars: [{id, fromS, toS, lane}]} of TurnLatency's parts; null where nothing can be drawn. Lane 0 is how the
 * turn was judged, lane 1 how the answer was made: an answer that was begun before the turn had ended overlaps. */
export function timingOf(latency) {
  if (!latency) return null;
  const made = [["model", latency.llmTtft], ["phrase", latency.firstPhraseDelay], ["voice", latency.ttsTtfb]];
  const makingS = made.reduce((sum, [, seconds]) => sum + (seconds ?? 0), 0);
  const responseS = latency.gatewayResponseLatency ?? latency.voiceToVoice ?? makingS;
  if (!responseS) return null;
  const bars = [];
  const add = (id, fromS, toS, lane) => toS > fromS && bars.push({ id, fromS, toS, lane });
  const decidedS = Math.max(0, latency.endpointingDelay ?? 0);
  const finalS = Math.min(Math.max(0, latency.asrFinalLatency ?? 0), decidedS);
  add("hear", 0, finalS, 0);
  add("decide", finalS, decidedS, 0);
  let atS = Math.max(0, responseS - makingS);
  for (const [id, seconds = 0] of made) {
    add(id, atS, Math.min(responseS, atS + seconds), 1);
    atS += seconds;
  }
  const earS = latency.voiceToVoice ?? responseS;
  add("way", responseS, earS, 1);
  return { totalS: Math.max(earS, responseS, decidedS), answerS: earS, bars };
}

/** The timing as a sentence, for those who don't see the bars. */
export function timingSentence(timing) {
  const parts = timing.bars.map(({ id, fromS, toS }) => `${PARTS.find((part) => part.id === id).label.toLowerCase()} ${ms(toS - fromS)}`);
  return `Answered after ${ms(timing.answerS)}: ${parts.join(", ")}.`;
}

/** Milliseconds, as a person reads them. */
export function ms(seconds) {
  return `${Math.round(seconds * 1000)} ms`;
}
