// How is a reply heard? Through an AudioWorklet at the reply's own rate, so that nothing is resampled by this page.

import { toFloats } from "../protocol/base64.js";

/** `onReport({reply, played, final})`: samples of a reply that were heard; `onPlaying(is)`: sound comes out, or stops. */
export async function openSpeaker(rateHz, onReport, onPlaying) {
  const context = new AudioContext({ sampleRate: rateHz, latencyHint: "interactive" });
  await context.audioWorklet.addModule(new URL("./playout-worklet.js", import.meta.url));
  const node = new AudioWorkletNode(context, "speaker", { numberOfInputs: 0, outputChannelCount: [1] });
  const volume = new GainNode(context);
  node.connect(volume).connect(context.destination);
  node.port.onmessage = ({ data: { report, playing } }) => {
    if (report) onReport({ ...report, played: heardOf(context, report) });
    if (playing !== undefined) onPlaying(playing);
  };
  await context.resume();
  const tell = (action, reply, more = {}, move = []) => node.port.postMessage({ action, reply, ...more }, move);
  return {
    play({ reply, offset, data }) {
      const floats = toFloats(data);
      tell("add", reply, { offset, floats }, [floats.buffer]);
    },
    complete: (reply) => tell("complete", reply),
    hold: (reply) => tell("hold", reply),
    resume: (reply) => tell("resume", reply),
    flush: (reply) => tell("flush", reply),
    mute: (muted) => volume.gain.setTargetAtTime(muted ? 0 : 1, context.currentTime, 0.01),
    async close() {
      node.port.onmessage = null;
      await context.close();
    },
  };
}

/** What was handed to the device is heard a little later; at the end of a reply all of it is. */
function heardOf(context, { played, final }) {
  const delayS = final ? 0 : context.baseLatency + (context.outputLatency || 0);
  return Math.max(0, Math.round(played - delayS * context.sampleRate));
}
