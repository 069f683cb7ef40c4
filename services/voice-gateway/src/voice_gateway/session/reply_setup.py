"""What does a reply need, and where does what becomes of it go?"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from voice_gateway.core.events import Failed, ReplyAudio, ReplyText, TurnChanged, TurnMeasured
from voice_gateway.core.language import Language
from voice_gateway.core.speakable_text import SpeakableOptions
from voice_gateway.core.summary import SummaryEnd, SummaryPolicy
from voice_gateway.core.turn_types import ReplyAudible, ReplyEnded
from voice_gateway.interfaces import LanguageModel, Synthesiser


@dataclass(frozen=True, slots=True)
class ReplySetup:
    """The backends of a reply and how its audio leaves."""

    model: LanguageModel
    synthesiser: Synthesiser
    lead_s: float
    frame_s: float
    ahead_s: float
    apology: str = ""
    """Said where the language model fails; "" = nothing."""
    speakable: SpeakableOptions = field(default_factory=SpeakableOptions)
    """How text is made speakable."""
    context_tokens: int = 8192
    """What the model takes, answer included."""
    language: Language = field(default_factory=lambda: Language("en-US"))
    """What replies are written in."""
    note_overload: Callable[[float], None] = lambda retry_after_s: None
    """Told when a backend has more to do than it can."""
    summaries: SummaryPolicy = field(default_factory=SummaryPolicy)
    """How the oldest of a long call is summarised."""


class ReplySink(Protocol):
    """Where facts and events go."""

    def post(self, fact: ReplyAudible | ReplyEnded) -> None:
        """For the turn machine."""

    def send(self, event: ReplyText | ReplyAudio | TurnChanged | TurnMeasured | Failed) -> None:
        """For the caller."""

    def has_room(self, rate_hz: int, lead_s: float) -> bool:
        """Whether more reply audio may be sent, at this rate, so far ahead of its playing."""

    def sent_samples(self, n: int) -> int:
        """How much of reply `n` was sent to the caller; of a cut one the rest never will be."""

    def arrived_samples(self, n: int, rate_hz: int) -> int:
        """How much of reply `n`, at this rate, can have reached the caller."""

    def note_work(self) -> None:
        """A request was handed to its connection."""

    def note_chat(self, tokens: int) -> None:
        """The model is asked with a chat of about so many tokens."""

    def note_summary(self, end: SummaryEnd) -> None:
        """A summary of the oldest of the call is over."""

    def note_draft(self, *, released: bool, ahead_s: float, pieces: int) -> None:
        """A draft is over that was begun `ahead_s` ago and for which the model has sent `pieces` of text."""

    @property
    def turn(self) -> int:
        """Number of the turn that is going on."""
