// What does the end of a WebSocket mean for its call? 4000 and the number of a gRPC status, or the browser's own. Pure.

export const NORMAL = 1000;
export const UNAUTHENTICATED = 4016;

const FINAL = new Set([4003, 4005, 4007, 4008, 4012, UNAUTHENTICATED]);
/** What makes connecting again useless, with what to do instead where the gateway said nothing. */

const UNREACHABLE = "The gateway can't be reached. Check the connection, then start again.";

/** Whether the same call, or a new one, may be tried again over another WebSocket. */
export function mayTryAgain(code) {
  return code !== NORMAL && !FINAL.has(code);
}

/** A sentence for a WebSocket that ended without one. */
export function sentenceOf(code, reason) {
  return reason || (code === 1009 ? "A message was too large for the gateway." : UNREACHABLE);
}
