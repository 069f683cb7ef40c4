// What does the caller choose, and what may it choose here? Kept in this browser tab, but for the theme. Pure but for storage.

const NAMES = ["language", "voice", "mode"];

/** {language, voice, mode: "open" or "hold"}; an empty choice is the operator's. */
export function readSettings(storage) {
  return Object.fromEntries(NAMES.map((name) => [name, storage.getItem(name) ?? (name === "mode" ? "open" : "")]));
}

/** Keep a choice. */
export function keepSetting(storage, name, value) {
  storage.setItem(name, value);
}

/** SessionStart of a call with these choices. */
export function startOf({ language, voice, mode }) {
  const start = {
    input: { encoding: "AUDIO_ENCODING_PCM16", sampleRateHz: 16000, channels: 1 },
    output: { encoding: "AUDIO_ENCODING_PCM16", channels: 1 },
    sendsHeartbeats: true,
  };
  if (language) start.language = language;
  if (voice) start.voice = voice;
  if (mode === "hold") start.turnDetection = "TURN_DETECTION_PUSH_TO_TALK";
  return start;
}

/** The message that changes how turns end in a running call. */
export function modeUpdate(mode) {
  return { update: { turnDetection: mode === "hold" ? "TURN_DETECTION_PUSH_TO_TALK" : "TURN_DETECTION_SERVER" } };
}

/** Whether the operator lets callers choose this; without a word on it, yes. */
export function maySet(info, name) {
  return !info?.callerMaySet || info.callerMaySet.includes(name);
}
