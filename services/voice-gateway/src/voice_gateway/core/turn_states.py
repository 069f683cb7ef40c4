"""Where is a call in its turn-taking? One state holds what exists in it; what outlives every state stands in `Call`.

Times are seconds since the call began.
"""

from dataclasses import dataclass

from voice_gateway.core.turn_types import Action, Ending


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
    wordless_since: float = 0.0
    """Since when this speech has brought no new word; 0 = since the turn began."""


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
