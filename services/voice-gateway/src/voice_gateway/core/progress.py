"""Does a result of the recogniser bring anything new? Limits run until one does, whatever else arrives."""

from dataclasses import dataclass

from voice_gateway.core.transcript import RecognitionResult

_STEP_S = 0.001
"""Less than this is rounding."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stream has come."""

    until_s: float = 0.0
    """Audio it has accounted for."""
    said: tuple[str, bool, float] = ("", False, 0.0)
    """Text, finality and stability of what it said last."""


def progressed(before: Progress, result: RecognitionResult) -> tuple[Progress, bool]:
    """The next state, and whether the result brings new words, a final, or accounts for more audio.

    A partial without words that accounts for no more audio brings nothing, nor does the same partial again: a
    recogniser that sends only these stands still. A final with words always counts: it may be a second "yes".
    """
    until_s = max(before.until_s, result.audio_processed_s or 0.0)
    said = (result.text.strip(), result.final, result.stability)
    has_words = bool(said[0])
    is_new = (
        until_s > before.until_s + _STEP_S
        or (result.final and has_words)
        or (said != before.said and (result.final or has_words))
    )
    return Progress(until_s, said if result.final or has_words else before.said), is_new
