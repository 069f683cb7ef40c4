"""When is a partial sent? The first one of an utterance at once, then one in each interval while speech goes on.

Example, with an interval of 200 ms: partials come at 0 and 50 ms, and then none although the caller goes on to speak.
Sent are the first one at 0 ms, the second one at 200 ms, and again at 400 ms: a client shows how far it was heard.
"""

from dataclasses import dataclass, replace

from voice_gateway.core.events import Transcribed


@dataclass(frozen=True, slots=True)
class InterimPacing:
    """The utterance that is open."""

    latest: Transcribed | None = None
    is_told: bool = False
    """The latest partial was sent."""
    told_at: float | None = None
    """When one of this utterance was sent last; None = none was."""

    def heard(self, partial: Transcribed) -> "InterimPacing":
        """The recogniser has a new partial."""
        return replace(self, latest=partial, is_told=False)

    def due_at(self, interval_s: float, *, is_speaking: bool) -> float | None:
        """From when on the latest partial is to be sent; None = it need not be."""
        if self.latest is None or (self.is_told and not is_speaking):
            return None
        return 0.0 if self.told_at is None else self.told_at + interval_s

    def told(self, now: float) -> "InterimPacing":
        """The latest partial was sent."""
        return replace(self, is_told=True, told_at=now)
