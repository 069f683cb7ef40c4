"""What is an offline model? Clips in, hypotheses out, blocking; one thread calls it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.core.asr.boosting import Boosting, Lexicon
from speech_server.engines.onnx.model_format import Device, Precision
from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.transducer import Floats

WARM_UP_S = 3.0
"""Length of the clip that warms a model up and measures it."""


class OfflineModel(Protocol):
    """A model that is loaded."""

    @property
    def device(self) -> Device:
        """Where it runs now."""

    @property
    def precision(self) -> Precision:
        """Of what is loaded now."""

    @property
    def lexicon(self) -> Lexicon | None:
        """Makes the boostings of callers' phrases; None: the model favours none."""

    def transcribe(
        self, clips: Sequence[Floats], stop: Stop, boostings: Sequence[Boosting | None] = ()
    ) -> list[Hypothesis]:
        """What each clip (16 kHz, -1..1) says; `stop` may end it from another thread. Raises EngineUnavailable."""

    def to_cpu(self, why: str) -> None:
        """Leave a GPU that fails. Raises EngineUnavailable when that is impossible."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is loaded and warm."""

    model: OfflineModel
    why: str
    """Where it runs, and why there."""
    rtf: float
    """Its real-time factor, as measured."""


def measure(model: OfflineModel, audio_s: float = WARM_UP_S) -> float:
    """Warm up with noise and give the real-time factor of the second run."""
    noise = np.random.default_rng(0).normal(0, 0.05, int(audio_s * ASR_RATE_HZ)).astype(np.float32)
    model.transcribe([noise], Stop())
    began = time.perf_counter()
    model.transcribe([noise], Stop())
    return (time.perf_counter() - began) / audio_s
