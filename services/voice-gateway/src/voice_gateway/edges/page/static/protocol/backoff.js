// How long to wait before connecting again? Doubling from 0.2 s to 3 s, never less than the gateway asks for. Pure.

const FIRST_MS = 200;
const LONGEST_MS = 3000;

/** Milliseconds before attempt 1, 2, 3 ...; `spread` (0..1) takes away up to half, so that callers come back one by one. */
export function delayMs(attempt, retryAfterMs, spread) {
  const doubled = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.max(retryAfterMs, doubled * (1 - spread / 2));
}
