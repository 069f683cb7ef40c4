"""When is whose frame scored? All streams' frames in one batch, on one thread.

A stream's frames follow one another through its state. So a visit to the thread has rounds, each with the next frame of
every stream that waits: as many as the stream with the fewest has, and no more work than a newcomer can wait for.
Example: a call with 2 frames and a recording with 1,800 wait. The first visit has 2 rounds of 2 frames; then the call
is told, and the recording goes on 16 frames a visit, to which the call's next frame is added when it comes.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vad.model import SileroModel, State
from vad.stream import OnScores, SileroStream

log = logging.getLogger(__name__)

_STREAMS = 64
"""In one round at most; 3 ms of work."""
_FRAMES = 16
"""In all rounds of a visit, unless one round has more; 2 ms of work, which is how long a newcomer waits."""


class SileroDetector:
    """One session, one thread and one task for any number of streams: `open` streams and `run`."""

    def __init__(self, gather_s: float = 0.0) -> None:
        """Loads the model, 0.1 s. `gather_s`: how long a frame waits for those of other streams, which costs less CPU.
        Raises ModelMissing."""
        self._model = SileroModel()
        self._gather_s = gather_s
        # Bounded by its users: each stream is there once, with the audio it was given.
        self._arrived: dict[SileroStream, None] = {}
        self._waiting: dict[SileroStream, None] = {}
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Streams with frames that are not scored yet, but for those at work."""
        return sum(stream.frames > 0 for stream in self._arrived | self._waiting)

    def open(self, on_scores: OnScores) -> SileroStream:
        """A stream, its state fresh."""
        return SileroStream(self._arrive, on_scores)

    async def run(self) -> None:
        """Score frames until cancelled."""
        with ThreadPoolExecutor(1, thread_name_prefix="vad") as thread:
            while True:
                await self._wake.wait()
                if self._gather_s:
                    await asyncio.sleep(self._gather_s)
                self._wake.clear()
                self._take_arrived()
                while batch := self._next_batch():
                    await self._visit(thread, batch)
                    if not self._gather_s:
                        self._take_arrived()

    def _arrive(self, stream: SileroStream) -> None:
        self._arrived[stream] = None
        self._wake.set()

    def _take_arrived(self) -> None:
        self._waiting |= self._arrived
        self._arrived = {}

    def _next_batch(self) -> list[SileroStream]:
        ready = [stream for stream in self._waiting if stream.frames]
        self._waiting = dict.fromkeys(ready[_STREAMS:])
        return ready[:_STREAMS]

    async def _visit(self, thread: ThreadPoolExecutor, batch: Sequence[SileroStream]) -> None:
        rounds = max(1, min(_FRAMES // len(batch), *(stream.frames for stream in batch)))
        windows = [stream.take(rounds) for stream in batch]
        states = [stream.state for stream in batch]
        try:
            work = asyncio.get_running_loop().run_in_executor(thread, _score, self._model, windows, states)
            scores, state = await work
        except BaseException:
            for stream in batch:  # frames are lost, and what comes after them would be told for them
                stream.close()
            raise
        for row, stream in enumerate(batch):
            stream.state = state[:, row : row + 1]
            if stream.frames:
                self._waiting[stream] = None
            _tell(stream, [of_round[row] for of_round in scores])


def _score(
    model: SileroModel, windows: Sequence[Sequence[bytes]], states: Sequence[State]
) -> tuple[list[list[float]], State]:
    """The scores of each round, and what to remember after the last. On the thread."""
    state, scores = np.concatenate(states, axis=1), []
    for of_round in zip(*windows, strict=True):
        found, state = model.score(of_round, state)
        scores.append(found)
    return scores, state


def _tell(stream: SileroStream, scores: Sequence[float]) -> None:
    """Whoever breaks on what it is told breaks alone."""
    try:
        stream.on_scores(scores)
    except Exception:
        stream.close()
        log.exception("a listener could not take a detector's scores; it is told nothing more")
