"""What does the encoder see of audio that comes piece by piece? The log-mel frames that it would see of the whole.

Not normalised: that is how streaming models are trained.
"""

from dataclasses import dataclass, field

import numpy as np

from speech_server.engines.asr.log_mel import HOP, POINTS, emphasised, log_mel, power
from speech_server.engines.onnx.transducer import Floats


@dataclass(slots=True)
class AudioTail:
    """One utterance's audio that frames are still made of."""

    rest: Floats = field(default_factory=lambda: np.zeros(POINTS // 2, np.float32))
    """Pre-emphasised samples; the first frame stands on the first sample, with silence before it."""
    last: float = 0.0


def push(tail: AudioTail, samples: Floats, mel_bands: int) -> Floats:
    """The frames [time, mel] that these samples (16 kHz, -1..1) complete."""
    if samples.size:
        tail.rest = np.concatenate((tail.rest, emphasised(samples, tail.last)))
        tail.last = float(samples[-1])
    ready = (len(tail.rest) - POINTS) // HOP + 1
    if ready <= 0:
        return np.zeros((0, mel_bands), np.float32)
    found = log_mel(power(tail.rest, ready), mel_bands)
    tail.rest = tail.rest[ready * HOP :].copy()
    return found
