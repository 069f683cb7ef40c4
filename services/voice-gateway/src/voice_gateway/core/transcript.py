"""What has the recogniser said, utterance by utterance? Folds its results into transcripts and machine facts."""

from dataclasses import dataclass, replace

from voice_gateway.core.events import INPUT_RATE_HZ, Transcribed, WordTime
from voice_gateway.core.floor import Heard


@dataclass(frozen=True, slots=True)
class Recognised:
    """One result of a recogniser. Times are seconds of audio since its stream began."""

    text: str
    final: bool
    stability: float = 0.0
    audio_processed_s: float | None = None
    """None = the recogniser does not tell."""
    words: tuple[WordTime, ...] = ()


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the recogniser is: the utterance it works on, and what it last said of it."""

    utterance: int = 1
    partial: str = ""
    began_s: float = 0.0
    """Audio time at which the open utterance began to be heard."""


def listen(
    state: Listening, result: Recognised, *, turn: int, received_s: float, now: float
) -> tuple[Listening, Transcribed | None, Heard]:
    """The next state, what the caller is told (None = nothing new), and the fact for the turn machine.

    `received_s` is the audio the gateway has received for this stream so far, `now` seconds since the call began.
    """
    text = result.text.strip()
    processed_s = received_s if result.audio_processed_s is None else result.audio_processed_s
    behind_s = max(0.0, received_s - processed_s)
    fact = Heard(text, result.final, result.stability, until=now - behind_s)
    told = Transcribed(
        turn,
        state.utterance,
        text,
        result.final,
        result.stability,
        result.words,
        first_sample=round((result.words[0].start_s if result.words else state.began_s) * INPUT_RATE_HZ),
        last_sample=round((result.words[-1].end_s if result.words else processed_s) * INPUT_RATE_HZ),
    )
    if result.final:
        closes = bool(text or state.partial)  # an utterance the caller was told of gets its final, and no second one
        return Listening(state.utterance + closes, began_s=processed_s), told if closes else None, fact
    if not text or (text == state.partial and result.stability < 1.0):
        return state, None, fact
    return replace(state, partial=text), told, fact
