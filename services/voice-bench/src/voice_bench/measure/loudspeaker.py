"""What has a caller heard by now? A loudspeaker that plays what came, at once and without a gap, until it is paused."""

from dataclasses import dataclass
from math import inf


@dataclass(slots=True)
class Loudspeaker:
    """One reply at `rate_hz`. Times are seconds of one steady clock, and never go back."""

    rate_hz: int
    received: int = 0
    _begun_at: float = 0.0
    _begun_from: int = 0
    _paused_at: float | None = None

    def take(self, samples: int, at: float) -> None:
        """`samples` more came at `at`; played at once when nothing else is playing."""
        if self.played(at) >= self.received:
            self._begun_at, self._begun_from = at, self.received
        self.received += samples

    def played(self, at: float) -> int:
        """Samples heard by `at`."""
        if self._paused_at is not None:
            at = max(self._begun_at, min(at, self._paused_at))
        return min(self.received, self._begun_from + round((at - self._begun_at) * self.rate_hz))

    def pause(self, at: float) -> None:
        """Play nothing until `go_on`."""
        self._paused_at = at if self._paused_at is None else self._paused_at

    def go_on(self, at: float) -> None:
        """Play what was not played."""
        if self._paused_at is not None:
            self._begun_from, self._begun_at = self.played(at), at
            self._paused_at = None

    def silent_from(self) -> float:
        """When everything that came will have been heard; inf while it is paused."""
        if self._paused_at is not None:
            return inf
        return self._begun_at + (self.received - self._begun_from) / self.rate_hz
