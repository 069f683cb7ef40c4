// How does the page get the caller's voice? From the browser, which cancels the echo of the speaker, frame by frame.

const WANTED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** `onFrame(samples, level)` for every 20 ms; `onLost(sentence)` when the device goes away. Throws an Error whose message
 * is a sentence for the caller. */
export async function openMicrophone(onFrame, onLost) {
  if (!navigator.mediaDevices) {
    throw new Error("This browser gives no microphone to a page without TLS. Open it over https, or type instead.");
  }
  const stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED }).catch((error) => {
    throw new Error(SENTENCES[error.name] ?? "The microphone can't be used. You can type instead.");
  });
  const context = new AudioContext({ latencyHint: "interactive" });
  await context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url));
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  capture.port.onmessage = ({ data }) => onFrame(data.samples, data.level);
  context.createMediaStreamSource(stream).connect(capture);
  const [track] = stream.getAudioTracks();
  track.onended = () => onLost("The microphone was taken away. You can type instead.");
  await context.resume();
  return {
    async close() {
      track.onended = null;
      capture.port.onmessage = null;
      track.stop();
      await context.close();
    },
  };
}

const SENTENCES = {
  NotAllowedError: "The browser may not use the microphone. Allow it in the address bar, or type instead.",
  NotFoundError: "There is no microphone. Connect one and start again, or type instead.",
  NotReadableError: "Another program uses the microphone. Close it and start again, or type instead.",
};
