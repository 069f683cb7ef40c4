"""When is whose frame scored? All streams' frames in one batch, in the event loop.

A stream's frames follow one another through its state. So a batch has rounds, each with the next frame of every stream
that waits: as many as the stream with the fewest has, and no more work than a newcomer, or the loop, can wait for.
Example: a call with 2 frames and a recording with 1,800 wait. The first batch has 2 rounds of 2 frames; then the call
is told, and the recording goes on 16 frames a batch, to which the call's next frame is added when it comes. Between two
batches the loop does what else is due. A thread would cost more than it takes over: the way there and back is longer
than the products of one frame.
"""

import asyncio
import logging
from collections.abc import Sequence

import numpy as np

from vad.model import SileroModel
from vad.stream import OnScores, SileroStream

log = logging.getLogger(__name__)

_STREAMS = 32
"""In one round at most; 0.6 ms of work."""
_FRAMES = 16
"""In all rounds of a batch, unless one round has more; 0.4 ms of work, which is how long a newcomer waits."""


class SileroDetector:
    """One model and one task for any number of streams: `open` streams and `run`."""

    def __init__(self, gather_s: float = 0.0) -> None:
        """Loads the model, 20 ms. `gather_s`: how long a frame waits for those of other streams, which costs less CPU.
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
        while True:
            await self._wake.wait()
            if self._gather_s:
                await asyncio.sleep(self._gather_s)
            self._wake.clear()
            self._take_arrived()
            while batch := self._next_batch():
                self._score(batch)
                await asyncio.sleep(0)
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

    def _score(self, batch: Sequence[SileroStream]) -> None:
        rounds = max(1, min(_FRAMES // len(batch), *(stream.frames for stream in batch)))
        windows = [stream.take(rounds) for stream in batch]
        state, scores = np.concatenate([stream.state for stream in batch], axis=1), []
        try:
            for of_round in zip(*windows, strict=True):
                found, state = self._model.score(of_round, state)
                scores.append(found)
        except Exception:
            for stream in batch:  # frames are lost, and what comes after them would be told for them
                stream.close()
            raise
        for row, stream in enumerate(batch):
            stream.state = state[:, row : row + 1].copy()
            if stream.frames:
                self._waiting[stream] = None
            _tell(stream, [of_round[row] for of_round in scores])


def _tell(stream: SileroStream, scores: Sequence[float]) -> None:
    """Whoever breaks on what it is told breaks alone."""
    try:
        stream.on_scores(scores)
    except Exception:
        stream.close()
        log.exception("a listener could not take a detector's scores; it is told nothing more")
