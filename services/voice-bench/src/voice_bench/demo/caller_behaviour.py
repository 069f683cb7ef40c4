"""When does a person speak? After the reply ended and a moment of thought; or two seconds into it, who barges in.

Pure: events and moments in, "now" out. Moments are seconds of the call.
"""

from dataclasses import dataclass, field

from voice_client.end_of_call import SETTLED_S, EndOfCallDetector
from voice_client.events import Event, Turn, TurnEvent

FIRST_WORD_S = 0.6
THINKS_S = 0.5
PATIENCE_S = 20.0
"""Without anything said, heard or told; a person would hang up sooner."""


@dataclass(slots=True)
class CallerBehaviour:
    """What the caller knows about whose turn it is. `barge_in_after_s`: how much of a reply is listened to."""

    barge_in_after_s: float
    patience_s: float = PATIENCE_S
    _end_of_call: EndOfCallDetector = field(default_factory=EndOfCallDetector)
    _said_anything: bool = False
    _answered: bool = False
    _reply_since_s: float | None = None
    _last_s: float = 0.0

    def observe(self, event: Event, now_s: float) -> None:
        """Something was told."""
        self._last_s = now_s
        self._end_of_call.observe(event)
        if isinstance(event, TurnEvent):
            self._answered |= event.kind is Turn.REPLY_ENDED
            if event.kind in (Turn.REPLY_ENDED, Turn.REPLY_INTERRUPTED, Turn.REPLY_RETRACTED):
                self._reply_since_s = None

    def note_audible(self, now_s: float, *, begins: bool) -> None:
        """Some of a reply is sounding; `begins`: its first audible sample is among it."""
        self._last_s = now_s
        if begins:
            self._reply_since_s = now_s

    def begin_line(self) -> None:
        """The caller begins to speak."""
        self._said_anything, self._answered = True, False

    def note_speech(self, now_s: float) -> None:
        """The caller is speaking."""
        self._last_s = now_s

    def may_barge_in(self, now_s: float) -> bool:
        """Has enough of the reply been heard?"""
        return self._reply_since_s is not None and now_s - self._reply_since_s >= self.barge_in_after_s

    def may_speak(self, now_s: float, *, hears_nothing: bool) -> bool:
        """Is everything answered, and was there a moment to think?"""
        if not self._said_anything:
            return now_s >= FIRST_WORD_S and hears_nothing
        needed_s = self._end_of_call.quiet_needed_s
        if not self._answered or not hears_nothing or needed_s is None:
            return False
        return now_s - self._last_s >= needed_s - SETTLED_S + THINKS_S

    def gives_up(self, now_s: float) -> bool:
        """Has nothing at all happened for too long?"""
        return now_s - self._last_s > self.patience_s
