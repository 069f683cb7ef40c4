"""The words of the turn machine: facts that go in, orders that come out, the policy, and the states between.

Facts are in the past tense, orders in the imperative. Times are seconds since the call began.
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

# --------------------------------------------------------------------------------------------- policy


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient the machine is, in seconds."""

    end_silence: float = 0.3
    """Silence after settled words that may be complete."""
    max_silence: float = 1.5
    """Silence after unsettled words."""
    end_on_final: bool = False
    """A final needs no further silence: for recognisers that wait for silence themselves."""
    barge_in_after: float = 0.2
    """Speech with words over a reply that is the caller's turn."""
    max_turn: float = 60.0
    """A turn that never pauses ends here."""
    lag_slack: float = 0.6
    """The recogniser counts as behind when it has not accounted for speech older than this."""
    max_lag: float = 15.0
    """A recogniser that is behind with something open and says nothing for this long is taken for lost."""
    barge_in_words: int = 0
    """Words over a reply that make a turn; 0 = none are needed where speech lasts `max_hold`."""
    max_hold: float = 2.0
    """Speech without words holds a reply for so long; then it interrupts the reply, or lets it go on where words are
    needed."""
    resume_after: float = 0.5
    """Silence after speech without words that lets a held reply go on; half of it once the recogniser is through."""
    idle_after: float = inf
    """Silence on both sides after which the agent asks whether anybody is there."""
    idle_tries: int = 2
    """How often it asks before it hangs up."""
    says_goodbye: bool = False
    """It says so before it hangs up."""
    greets: bool = False
    """The agent speaks first."""
    protects_greeting: bool = False
    """The greeting is heard whole: speech does not interrupt it, and is answered after it."""
    detects: bool = True
    """A voice activity detector tells of speech; without one the recogniser's words over a reply begin an overlap."""
    decides: bool = True
    """False = push-to-talk: only Committed ends a turn and only Interrupted stops a reply."""
    drafts: bool = False
    """Replies are begun as soon as the words look complete, and are heard when the turn is decided."""
    draft_tries: int = 3
    """Drafts at most, until a reply is heard."""
    draft_max_speech: float = 10.0
    """A turn that lasts longer is more likely to go on: no draft."""
    draft_slack: float = 0.15
    """Words look complete when the recogniser has heard all but so much of the time until the speech stopped, and said
    nothing else. Shorter than the detector's hangover: then it has heard silence."""
    complete_silence: float = 0.1
    """Silence after settled words that are complete."""
    incomplete_silence: float = 1.25
    """Silence after words in the midst of a sentence."""
    reading_silence: float = 1.5
    """Silence after a part of a number, spelling or address that is read out."""
    learned_silence_max: float = 0.0
    """Silence that a caller gets who pauses much, at most, in place of `end_silence`; below that = never more."""
    learned_silence_min: float = inf
    """Silence that a caller gets who never pauses, at least, in place of `end_silence`; above that = never less."""
    complete_score: float = 0.5
    """From this probability on, a model that listens says that the turn is over."""


# --------------------------------------------------------------------------------------------- states


@dataclass(frozen=True, slots=True)
class Call:
    """What outlives every state."""

    replies: int = 0
    """Number of the last reply."""
    tries: int = 0
    """How often the agent asked into silence since the caller last spoke."""
    pause: float = 0.0
    """The pause that this caller makes inside a turn, as learned, seconds; 0 = not learned."""
    language: str = ""
    echoed: int = 0
    """Number of the last reply that came back as echo; 0 = none did."""
    heard_until: float = 0.0
    """Audio the recogniser has accounted for."""
    heard_at: float = 0.0
    """When it last said so."""
    lag: float = 0.0
    """How late it told the words that it told last, seconds."""
    due: str = ""
    """The cause of a reply that nobody asked for and that must be made: Cause.TIME_LOW.value at the next gap,
    Cause.RECOGNISER_LOST.value at once; "" = none."""
    due_reply: int = 0
    """The last reply that was begun for it."""
    ending: Ending = Ending.UNKNOWN
    """How the caller's words end that were heard last."""
    speaking: bool = False
    """The detector hears the caller now. A turn that was typed in mid-speech is answered meanwhile."""
    stopped_at: float = 0.0
    """When the caller's speech stopped last."""
    score: float = 0.0
    """What the model said last of the turn: the probability that it is over."""
    scored_until: float = 0.0
    """When the last audio that it had listened to arrived; 0 = it has said nothing."""
    drafts: int = 0
    """Drafts since the caller last heard a reply, or nothing was going on."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody has the floor."""

    call: Call
    since: float
    open: str = ""
    """The partial the last turn was ended on, when its final is still to come: that final is nobody's turn."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """The caller speaks."""

    call: Call
    since: float
    """When the turn began."""
    words: str = ""
    """Finals of this turn."""
    partial: str = ""
    settled_until: float = 0.0
    """Audio that finals stand for; 0 as soon as something is open again."""
    draft: int | None = None
    """The reply that was begun before the turn is decided: to the words and the partial of now."""
    typed: str = ""
    """What was typed since the utterance of the partial began: it stands after it."""


@dataclass(frozen=True, slots=True)
class Pausing:
    """The caller is silent; perhaps the turn is over."""

    call: Call
    since: float
    """When the speech stopped."""
    began: float
    """When the turn began."""
    words: str = ""
    partial: str = ""
    settled_until: float = 0.0
    committed: bool = False
    draft: int | None = None
    """The reply that was begun before the turn is decided: to the words and the partial of now."""
    typed: str = ""
    """What was typed since the utterance of the partial began."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reply `reply` is on its way and nobody has heard it."""

    call: Call
    reply: int
    words: str
    """The finals it answers."""
    open: str = ""
    """The partial the turn was ended on, when its final is still to come."""
    protected: bool = False
    """The reply does not yield to speech."""
    cut_off: bool = False
    """The turn was ended at its longest, and the caller speaks on."""
    typed: str = ""
    """What was typed since the utterance of `open` began: the turn is `words`, `open` and `typed`, in that order."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """Reply `reply` is being heard."""

    call: Call
    reply: int
    open: str = ""
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Overlap:
    """The caller speaks while reply `reply` has the floor; nobody knows yet what that means."""

    call: Call
    reply: int
    since: float
    audible: bool
    kept: str = ""
    """The finals the reply answers, while it is inaudible."""
    open: str = ""
    words: str = ""
    """Finals of the overlap."""
    partial: str = ""
    held_at: float | None = None
    quiet_since: float | None = None
    """When that speech stopped, and its meaning is still open."""
    undetected: bool = False
    """It began with words of the recogniser, where there is no detector."""
    protected: bool = False
    dismissed: bool = False
    """All that was heard of it so far is a backchannel or echo."""
    typed: str = ""
    """What was typed since the utterance of `open` began, while the reply is inaudible."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over."""

    call: Call
    reason: str


State = Idle | Hearing | Pausing | Thinking | Speaking | Overlap | Ended
Step = tuple[State, tuple[Action, ...]]


def join_words(*parts: str) -> str:
    """Parts of what was said, in order."""
    return " ".join(part for part in (part.strip() for part in parts) if part)


MAX_TURN_CHARS = 16384
"""Typed turns join while nobody has heard an answer; this is all one turn may become by it."""


def turn_chars(state: State) -> int:
    """Characters of the turn that is going on, as far as they may still be joined with more."""
    return sum(len(getattr(state, name, "")) for name in ("words", "partial", "open", "kept", "typed"))


def finals(state: State) -> str:
    """The finals of the turn that is going on, or would go on if the caller spoke."""
    match state:
        case Hearing(words=words) | Pausing(words=words) | Thinking(words=words):
            return words
        case Overlap(audible=audible, kept=kept, words=words):
            return words if audible else f"{kept} {words}"
    return ""
