"""What has a caller heard by now? A loudspeaker that plays what came, at once and without a gap."""

from dataclasses import dataclass


@dataclass(slots=True)
class Loudspeaker:
    """One reply at `rate_hz`. Times are seconds of one steady clock, and never go back."""

    rate_hz: int
    received: int = 0
    _begun_at: float = 0.0
    _begun_from: int = 0

    def take(self, samples: int, at: float) -> None:
        """`samples` more came at `at`; played at once when nothing else is playing."""
        if self.played(at) >= self.received:
            self._begun_at, self._begun_from = at, self.received
        self.received += samples

    def played(self, at: float) -> int:
        """Samples heard by `at`."""
        return min(self.received, self._begun_from + round((at - self._begun_at) * self.rate_hz))

    def silent_from(self) -> float:
        """When everything that came will have been heard."""
        return self._begun_at + (self.received - self._begun_from) / self.rate_hz
