// How is audio written in JSON? As base64 of PCM16, little endian, whatever this machine's order is. Pure.

/** Base64 of samples (Int16Array). */
export function fromSamples(samples) {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < samples.length; i += 1) view.setInt16(2 * i, samples[i], true);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

/** Samples as floats (-1..1), as an AudioWorklet plays them. */
export function toFloats(base64) {
  const text = atob(base64);
  const bytes = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i += 1) bytes.setUint8(i, text.charCodeAt(i));
  const floats = new Float32Array(text.length >> 1);
  for (let i = 0; i < floats.length; i += 1) floats[i] = bytes.getInt16(2 * i, true) / 32768;
  return floats;
}

/** A token as it is written into a subprotocol's name: base64url without padding. */
export function urlSafe(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
