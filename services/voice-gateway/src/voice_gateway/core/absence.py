"""When does a caller whose audio stops count as absent? Once the next message is certainly overdue.

Callers send what they like: a message of 1 s comes once a second, and a client that sends nothing while its user is
silent, or muted, stops in the midst of a turn. Example: with messages of 20 ms a caller is absent 1 s after the last
one, with messages of 1 s after 1.5 s.
"""

from dataclasses import dataclass

_SOONEST_S = 1.0
"""Pipecat's audio-idle watchdog waits as long."""
_JITTER_S = 0.5


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
