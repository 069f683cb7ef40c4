"""How often may something happen? So many times at once, and so many a second after that (a token bucket)."""

from math import inf


class TokenBucket:
    """Full at the start. Time is an argument, seconds on any steady clock."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at = -inf

    def left(self, now: float) -> float:
        """How many could be taken now."""
        return min(self._burst, self._left + max(0.0, now - self._at) * self._per_s) if self._at > -inf else self._burst

    def take(self, now: float, amount: float = 1.0) -> float:
        """0 = taken; else nothing was, and it is worth trying again after so many seconds. More than the burst can
        be had of a full allowance only."""
        if now > self._at:
            self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
            self._at = now
        wanted = min(amount, self._burst)
        if self._left < wanted:
            return (wanted - self._left) / self._per_s
        self._left -= wanted
        return 0.0
