"""Is there speech? Silero's detector, one for all streams; a stream waits for the scores of its audio."""

import asyncio
from collections.abc import Sequence

import vad

from speech_server.errors import EngineUnavailable

Answer = asyncio.Future[Sequence[float]]


class SileroDetector:
    """One session, one thread and one task for any number of streams."""

    def __init__(self) -> None:
        self._detector: vad.SileroDetector | None = None
        self._runner: asyncio.Task[None] | None = None
        self.answers: set[Answer] = set()
        """What streams wait for; it fails when the detector stops."""

    async def start(self) -> None:
        """Load the model. Raises EngineUnavailable when it is not installed."""
        try:
            self._detector = await asyncio.to_thread(vad.SileroDetector)
        except vad.ModelMissing as error:
            raise EngineUnavailable(str(error)) from None
        self._runner = asyncio.create_task(self._detector.run(), name="silero batches")
        self._runner.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Free the session; audio that waits gets EngineUnavailable."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait([self._runner])
        self._runner = self._detector = None

    @property
    def waiting(self) -> int:
        """Streams with audio that is not scored yet, but for those at work."""
        return self._detector.waiting if self._detector is not None else 0

    def open(self) -> "SileroActivity":
        """A detector for one stream, its state fresh."""
        return SileroActivity(self)

    def stream(self, on_scores: vad.OnScores) -> vad.SileroStream:
        """Raises EngineUnavailable when not started."""
        if self._detector is None or self._runner is None or self._runner.done():
            raise EngineUnavailable("The voice activity detector is not running; start it first")
        return self._detector.open(on_scores)

    def _ended(self, runner: "asyncio.Task[None]") -> None:
        for answer in self.answers:
            if not answer.done():
                answer.set_exception(EngineUnavailable("The voice activity detector was stopped"))


class SileroActivity:
    """One stream's speech probability."""

    frame_s = vad.FRAME_S

    def __init__(self, detector: SileroDetector) -> None:
        self._detector = detector
        self._stream: vad.SileroStream | None = None
        self._answer: Answer | None = None
        self._frames = 0
        self._scores: list[float] = []

    async def score(self, pcm16: bytes) -> Sequence[float]:
        """Probabilities of the frames this audio completes, oldest first. Raises EngineUnavailable."""
        if self._stream is None:
            self._stream = self._detector.stream(self._told)
        self._frames, self._scores = self._stream.push(pcm16), []
        if not self._frames:
            return []
        self._answer = asyncio.get_running_loop().create_future()
        self._detector.answers.add(self._answer)
        try:
            return await self._answer
        except BaseException:  # nobody waits for these frames any more: the stream begins anew
            self.close()
            raise
        finally:
            self._detector.answers.discard(self._answer)

    def close(self) -> None:
        """Forget the stream."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _told(self, scores: Sequence[float]) -> None:
        self._scores.extend(scores)
        if len(self._scores) == self._frames and self._answer is not None and not self._answer.done():
            self._answer.set_result(self._scores)
