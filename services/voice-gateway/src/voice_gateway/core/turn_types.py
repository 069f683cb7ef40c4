"""The words of the turn machine: facts that go in, and orders that come out.

Facts are in the past tense, orders in the imperative; the states between stand in `turn_states`, the policy in
`turn_policy`. Times are seconds since the call began.
"""

from dataclasses import dataclass
from enum import Enum
from math import inf

# ---------------------------------------------------------------------------------------------- facts


class Ending(Enum):
    """How the words of a turn end, as far as words tell (`endings`)."""

    UNKNOWN = "unknown"
    """They may be complete: nothing says so, and nothing says that they go on."""
    ANSWER = "answer"
    """A whole turn as it is: "yes"."""
    COMPLETE = "complete"
    """With a sentence sign, and without a sign that they go on."""
    INCOMPLETE = "incomplete"
    """In the midst of a sentence: "and"."""
    READING_OUT = "reading_out"
    """In the midst of a number, a word that is spelled, or an address."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The voice activity detector hears the caller speak."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """It has heard nothing for its hangover."""

    unheard: float = 0.0
    """Seconds of that speech the recogniser has not accounted for: after a burst more than the clock tells."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The recogniser said something; empty text only tells how far it has come."""

    text: str
    final: bool
    stability: float = 0.0
    """0..1; 1.0 on a partial is Riva's first-pass end of utterance."""
    until: float = inf
    """When the last audio this stands for arrived, seconds since the call began; inf = all there is."""
    ending: Ending = Ending.UNKNOWN
    """How the words of the turn end with these."""
    backchannel: bool = False
    """Said over a reply by a listener who wants no turn: "mhm"."""
    echo: bool = False
    """The reply itself, out of the caller's loudspeaker."""


@dataclass(frozen=True, slots=True)
class TurnScored:
    """A model has listened how the speech before a pause sounds."""

    probability: float
    """0..1: that the turn is over."""
    until: float
    """When the last audio it listened to arrived, seconds since the call began."""


@dataclass(frozen=True, slots=True)
class ReplyAudible:
    """The first sample of reply `n` was handed to the edge."""

    n: int


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """Reply `n` was played to its end, or failed."""

    n: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The caller says: my turn is over."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller says: stop talking."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The caller typed a turn."""

    text: str


@dataclass(frozen=True, slots=True)
class ReplyAsked:
    """The caller wants a reply to what was said, now."""


@dataclass(frozen=True, slots=True)
class Discarded:
    """The caller takes back what it has said of this turn."""


@dataclass(frozen=True, slots=True)
class TimeLow:
    """The longest duration of a call is near."""


@dataclass(frozen=True, slots=True)
class WordsLost:
    """The recogniser has said nothing of what the caller spoke, and nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class RecogniserLost:
    """No recogniser can be reached: the caller can't be heard any more."""


Event = (
    SpeechStarted
    | SpeechStopped
    | Heard
    | TurnScored
    | ReplyAudible
    | ReplyEnded
    | Tick
    | Committed
    | Interrupted
    | Typed
    | ReplyAsked
    | Discarded
    | TimeLow
    | WordsLost
    | RecogniserLost
)

# --------------------------------------------------------------------------------------------- orders


class Cause(Enum):
    """What a reply answers."""

    WORDS = "words"
    GREETING = "greeting"
    SILENCE = "silence"
    GOODBYE = "goodbye"
    """The call ends, because nobody speaks."""
    TIME_LOW = "time low"
    WORDS_LOST = "words lost"
    ASKED = "asked"
    """The caller's client wants a reply, whether or not something was said."""
    RECOGNISER_LOST = "recogniser lost"
    """The call ends, because the caller can't be heard."""


@dataclass(frozen=True, slots=True)
class StartReply:
    """Begin reply `n` to `words`."""

    n: int
    words: str
    draft: bool = False
    """The turn is not decided yet: nobody is told of the reply, and its audio waits for ReleaseReply."""
    cause: Cause = Cause.WORDS
    protected: bool = False
    """Only Interrupted stops it."""


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """The turn of draft `n` is decided: its audio may leave, and `words`, as they were decided, enter the history."""

    n: int
    words: str


@dataclass(frozen=True, slots=True)
class RetractReply:
    """Nobody heard reply `n`: forget it; the words it answered come again in a later StartReply."""

    n: int


@dataclass(frozen=True, slots=True)
class HoldReply:
    """Let no more audio of reply `n` leave until it is resumed."""

    n: int


@dataclass(frozen=True, slots=True)
class ResumeReply:
    """Reply `n` goes on."""

    n: int


@dataclass(frozen=True, slots=True)
class InterruptReply:
    """Reply `n` was partly heard: stop it, flush it at the caller, cut the history to what was heard."""

    n: int


@dataclass(frozen=True, slots=True)
class CorrectWords:
    """Too late for another answer: the final says `right` where reply `n` has answered `told`. The history follows."""

    n: int
    told: str
    right: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up."""

    reason: str


Action = StartReply | ReleaseReply | RetractReply | HoldReply | ResumeReply | InterruptReply | CorrectWords | EndCall
