// How many words of a reply have been heard after so many seconds? An estimate by the speed of speech. Pure.

const CHARACTERS_PER_S = 15;
/** The gateway reckons with the same number where a voice tells no times of its words. */

/** The beginning of `text` that was heard, in whole words. */
export function heardPart(text, seconds) {
  const count = Math.floor(seconds * CHARACTERS_PER_S);
  if (count >= text.length) return text;
  const end = text.lastIndexOf(" ", count);
  return end < 0 ? "" : text.slice(0, end);
}
