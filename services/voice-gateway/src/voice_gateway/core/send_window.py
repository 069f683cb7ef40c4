"""How much reply audio may be under way to the caller? Little enough that what comes after it is not late.

Audio that was written to a slow or stalled link can't be taken back: an interrupt arrives behind it. So no more of it
is under way than the caller's habit of acknowledging asks for. Example: a caller who sends 20 ms of audio a message,
each with an acknowledgement, gets 0.2 s lead + 0.02 s + 0.4 s slack; one who acknowledges once a second gets 1.6 s.
"""

from dataclasses import dataclass, replace

_SLACK_S = 0.4
"""For the way there and back."""
_HABIT_S = 1.2
"""Acknowledgements further apart say that the link stalled, nothing of the caller's habit."""
_UNKNOWN_S = 1.0
_FADES = 0.95
"""A longer gap is forgotten in so large steps, one an acknowledgement: after a hiccup of 1 s, in about 60 messages."""


@dataclass(frozen=True, slots=True)
class SendWindow:
    """What is known of one caller's acknowledgements. Times are seconds on any steady clock."""

    gap_s: float = _UNKNOWN_S
    last_at: float | None = None
    """When the last one came; None = none ever did."""

    def acknowledged(self, now: float) -> "SendWindow":
        """A message with an acknowledgement came at `now`."""
        if self.last_at is None or now - self.last_at > _HABIT_S:
            return replace(self, last_at=now)
        return SendWindow(max(now - self.last_at, self.gap_s * _FADES), now)

    @property
    def unknown_s(self) -> float:
        """Seconds of audio that may have arrived without an acknowledgement yet."""
        return 0.0 if self.last_at is None else self.gap_s

    def under_way_s(self, lead_s: float) -> float:
        """Seconds of audio that may be sent and not acknowledged, where audio is sent `lead_s` ahead of its playing."""
        return lead_s + self.gap_s + _SLACK_S
