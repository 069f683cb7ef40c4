"""Does it sound as if the turn were over? Asks the model in each pause of the caller, and posts what it says.

What is judged is the speech of this turn, as far as the model listens back, with half a second before it.
"""

from collections.abc import Callable

from voice_gateway.core.events import INPUT_RATE_HZ
from voice_gateway.core.recent_audio import RecentAudio
from voice_gateway.core.speech_gate import GateChange, SpeechGate
from voice_gateway.core.turn_types import TurnScored
from voice_gateway.interfaces import EndOfTurnScorer

PAUSE_S = 0.19
"""Silence before the model is asked: six frames, about what it was trained with, and soon enough for its answer to come
before a turn of complete words is over."""
_BEFORE_S = 0.5


class TurnScoring:
    """One call's questions to the model."""

    def __init__(
        self,
        scorer: EndOfTurnScorer,
        post: Callable[[TurnScored], None],
        turn: Callable[[], int],
        now: Callable[[], float],
    ) -> None:
        """`turn` tells the number of the turn that is going on, `now` the seconds since the call began."""
        self._scorer = scorer
        self._post = post
        self._turn = turn
        self._now = now
        self._audio = RecentAudio(scorer.window_s, INPUT_RATE_HZ)
        self._began_turn, self._began_sample = 0, 0
        """The turn that is judged, and where its audio begins."""
        self._asked = False
        """In this pause."""

    def push(self, pcm16: bytes) -> None:
        """The caller's audio."""
        self._audio.append(pcm16)

    def frame(self, gate: SpeechGate, change: GateChange | None, arrived_at: float, sample: int) -> None:
        """The detector has scored the frame that ends with this input sample, and the gate is so after it."""
        if change is GateChange.STARTED and self._turn() != self._began_turn:
            self._began_turn, self._began_sample = self._turn(), sample - round(_BEFORE_S * INPUT_RATE_HZ)
        if gate.hears:
            self._asked = False
        elif gate.speaking and not self._asked and arrived_at - gate.last_at >= PAUSE_S:
            self._asked = True
            self._ask()

    def _ask(self) -> None:
        until = self._now()
        said = self._audio.since(self._began_sample)
        self._scorer.ask(said, lambda probability: self._post(TurnScored(probability, until)))
