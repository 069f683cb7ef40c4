"""Which second of the call does a second of a recognition stream stand for? Silence of our own takes no time.

Example: a stream that begins at 10 s of the call, and after 4 s was sent 1 s of silence that is not the caller's: its
second 3 is 13 s, its seconds 4 to 5 are 14 s, its second 6 is 15 s.
"""

from dataclasses import dataclass, replace

_KEPT = 64
"""Silences remembered one by one: results of a stream are never so much older."""


@dataclass(frozen=True, slots=True)
class StreamTime:
    """A stream that begins at `began_s` of the call; `silences` are where in it, and how long."""

    began_s: float = 0.0
    silences: tuple[tuple[float, float], ...] = ()

    def call_s(self, stream_s: float) -> float:
        """The second of the call."""
        ours_s = sum(min(max(0.0, stream_s - at_s), length_s) for at_s, length_s in self.silences)
        return self.began_s + stream_s - ours_s

    def silenced(self, sent_s: float, length_s: float) -> "StreamTime":
        """After the call's audio up to `sent_s` came so much silence."""
        at_s = sent_s - self.began_s + sum(length for _, length in self.silences)
        silences = (*self.silences, (at_s, length_s))
        if len(silences) <= _KEPT:
            return replace(self, silences=silences)
        (_, oldest_s), *rest = silences
        return StreamTime(self.began_s - oldest_s, tuple(rest))
