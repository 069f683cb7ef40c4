"""What is in a recording? Its samples, where the detector hears speech, and its words spread over that."""

from pathlib import Path

from pcm import read_wav
from vad.model import CONTEXT_BYTES, FRAME_BYTES, WINDOW_BYTES, SileroModel, fresh_state

from voice_bench.evals.microphone import FRAME_SAMPLES, RATE_HZ, Sound, spread

_SPEECH = 0.5


def recorded_sound(file: Path, words: str, first: int) -> Sound:
    """The file's audio from sample `first` of the caller's on. Raises OSError, ValueError."""
    pcm16 = read_wav(file).at(RATE_HZ).pcm16
    pcm16 += bytes(-len(pcm16) % FRAME_BYTES)
    scores = _scores(pcm16)
    spans: list[tuple[int, int]] = []
    for number, score in enumerate(scores):
        begin = first + number * FRAME_SAMPLES
        if score >= _SPEECH:
            if spans and spans[-1][1] == begin:
                spans[-1] = (spans[-1][0], begin + FRAME_SAMPLES)
            else:
                spans.append((begin, begin + FRAME_SAMPLES))
    if not spans:
        raise ValueError(f"{file}: the detector hears no speech in it")
    return Sound(tuple(spans), spread(words, spans), words, pcm16, first, tuple(scores))


def _scores(pcm16: bytes) -> list[float]:
    model, state, scores = SileroModel(), fresh_state(), []
    audio = bytes(CONTEXT_BYTES) + pcm16
    for at in range(0, len(pcm16), FRAME_BYTES):
        found, state = model.score([audio[at : at + WINDOW_BYTES]], state)
        scores += found
    return scores
