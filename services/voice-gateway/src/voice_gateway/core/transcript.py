"""What has the recogniser said, utterance by utterance? Folds its results into transcripts and machine facts."""

from dataclasses import dataclass, replace

from voice_gateway.core.events import INPUT_RATE_HZ, Transcribed, WordTime
from voice_gateway.core.turn_types import Heard


@dataclass(frozen=True, slots=True)
class RecognitionResult:
    """One result of a recogniser. Times are seconds of audio since its stream began."""

    text: str
    final: bool
    stability: float = 0.0
    audio_processed_s: float | None = None
    """None = the recogniser does not tell."""
    words: tuple[WordTime, ...] = ()


_SAME_S = 0.05
"""Times of the same moment in two results differ by less."""
_LETTERS_PER_S = 30.0
"""Nobody says more."""
_SAID_CHARS = 1000


@dataclass(frozen=True, slots=True)
class TranscriptState:
    """Where the recogniser is: the utterance it works on, what it last said of it, and what finals stand for."""

    utterance: int = 1
    partial: str = ""
    began_s: float = 0.0
    """Audio time at which the open utterance began to be heard."""
    worded_s: float = 0.0
    """Audio time at which the last word of a final ends."""
    settled_s: float = 0.0
    """Audio time up to which the last final with words stands."""
    said: str = ""
    """The end of what finals said so far, bare."""
    turn: int = 0
    """The turn in which the open utterance was last told; 0 = it was not. Its final belongs there, also where it comes
    after that turn has ended."""


def update_transcript(
    state: TranscriptState, result: RecognitionResult, *, turn: int, received_s: float, now: float
) -> tuple[TranscriptState, Transcribed | None, Heard]:
    """The next state, what the caller is told (None = nothing new), and the fact for the turn machine.

    `received_s` is the audio the gateway has received for this stream so far, `now` seconds since the call began.
    Signs without a letter or digit are no words. What stands for audio that a final already stood for is left out:
    recognisers send the same final twice, or segment by segment and then as a whole.
    """
    processed_s = received_s if result.audio_processed_s is None else result.audio_processed_s
    until = now - max(0.0, received_s - processed_s)
    text, words = _new_words(state, result)
    if text is None and not (result.final and state.partial and _bare(state.partial) in _bare(result.text)):
        return state, None, Heard("", False, until=until)  # an utterance that began since stays open
    text = text or ""
    fact = Heard(text, result.final, result.stability, until=until)
    told = Transcribed(
        (result.final and state.turn) or turn,
        state.utterance,
        text,
        result.final,
        result.stability,
        words,
        first_sample=round((words[0].start_s if words else state.began_s) * INPUT_RATE_HZ),
        last_sample=round((words[-1].end_s if words else processed_s) * INPUT_RATE_HZ),
    )
    if result.final:
        closes = bool(text or state.partial)  # an utterance the caller was told of gets its final, and no second one
        after = replace(state, utterance=state.utterance + closes, partial="", began_s=processed_s, turn=0)
        if text:
            worded_s = max(state.worded_s, words[-1].end_s) if words else state.worded_s
            said = (state.said + _bare(text))[-_SAID_CHARS:]
            after = replace(after, worded_s=worded_s, settled_s=max(state.settled_s, processed_s), said=said)
        return after, told if closes else None, fact
    if not text or (text == state.partial and result.stability < 1.0):
        return state, None, fact
    return replace(state, partial=text, turn=turn), told, fact


def _new_words(state: TranscriptState, result: RecognitionResult) -> tuple[str | None, tuple[WordTime, ...]]:
    """The text and words that no final stood for yet; None = all of it is known.

    Example: after finals "book a table" (its last word ends at 1.4 s) and "for two" (2.1 s), a final "book a table for
    two" brings nothing; "book a table for two please" brings "please".
    """
    text, words = _worded(result.text), result.words
    processed_s = result.audio_processed_s
    if not text:
        return text, words
    if result.final and any(word.end_s > word.start_s for word in words):
        new = tuple(word for word in words if (word.start_s + word.end_s) / 2 > state.worded_s)
        if len(new) < len(words):
            return " ".join(word.text for word in new) or None, new
    elif processed_s is not None:
        bare = _bare(text)
        new_s = processed_s - state.settled_s
        if state.said.endswith(bare) and new_s <= max(_SAME_S, len(bare) / _LETTERS_PER_S):
            return None, ()  # it was said, and since then nothing as long was heard
    return text, words


def _bare(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _worded(text: str) -> str:
    text = text.strip()
    return text if any(sign.isalnum() for sign in text) else ""
