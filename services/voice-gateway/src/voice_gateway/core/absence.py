"""When does a caller whose audio stops count as absent? Once the next message is certainly overdue.

Callers send what they like: a message of 1 s comes once a second, and a client that sends nothing while its user is
silent, or muted, stops in the midst of a turn. Example: with messages of 20 ms a caller is absent 1.2 s after the last
one, with messages of 1 s after 1.5 s. What was missing after a link stood still or dropped may come in a burst.
"""

from dataclasses import dataclass, replace

_SOONEST_S = 1.2
"""A message may hold a second, also the first long one after short ones, and come a little late."""
_JITTER_S = 0.5
_CAUGHT_UP_S = 0.25
"""So much is always on its way."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is known of a caller's messages of audio; times are seconds on any steady clock."""

    last_at: float = 0.0
    longest_s: float = 0.0
    """Length of the longest message."""

    def arrived(self, now: float, length_s: float) -> "Arrivals":
        """A message of so much audio came."""
        return Arrivals(now, max(self.longest_s, length_s))

    @property
    def absent_at(self) -> float:
        """From when on the caller is absent, if nothing comes."""
        return self.last_at + max(_SOONEST_S, self.longest_s + _JITTER_S)


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio that a caller's link held back, or that was kept while it was down, and that may still come.

    Example: nothing came for 3 s; then 2.9 s come within 0.2 s, and the caller is back. One who kept nothing sends on
    in real time: after 1.2 s in which the gap did not close they count as back, too.
    """

    since: float
    """When the last message before it came."""
    came_s: float = 0.0
    """Audio that has come since."""
    watched_at: float | None = None
    """From when on it should close; None = the link is still down."""
    watched_s: float = 0.0
    """What was missing then."""

    def missing_s(self, now: float) -> float:
        """Audio that may still come."""
        return now - self.since - self.came_s

    def moves(self, now: float, length_s: float = 0.0) -> "Gap":
        """The link is back, and brought so much audio."""
        came = replace(self, came_s=self.came_s + length_s)
        if self.watched_at is not None:
            return came
        return replace(came, watched_at=now, watched_s=self.missing_s(now))

    def left(self, now: float) -> "Gap | None":
        """What is left of the gap; None = the caller is back."""
        if self.watched_at is None:
            return self
        missing_s = self.missing_s(now)
        if missing_s <= _CAUGHT_UP_S:
            return None
        if now - self.watched_at < _SOONEST_S:
            return self
        if missing_s > self.watched_s - _CAUGHT_UP_S:
            return None
        return replace(self, watched_at=now, watched_s=missing_s)
