"""How patient is the turn machine? One number for each thing that it may wait for."""

from dataclasses import dataclass
from math import inf


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
    protects_replies: bool = False
    """Every reply is heard whole: speech does not interrupt it, and is answered after it."""
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
