"""How do all callers share one streaming model? Whoever has audio when the model is free goes into its next batch.

    decode ──▶ waiting (one step a stream, bounded) ──▶ one batch at a time on one thread ──▶ futures

Nothing waits for ever: a step has a deadline while it waits, and a batch a hard limit while it runs.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.engines.asr.streaming_transducer.model import StreamStep
from speech_server.engines.onnx.batch_runner import BatchRunner, fail_all
from speech_server.engines.onnx.session import Stop
from speech_server.errors import EngineBusy, EngineUnavailable

Work = Callable[[Sequence[StreamStep], Stop], list[Hypothesis]]
"""The model; blocking."""


@dataclass(frozen=True, slots=True)
class StepLimits:
    """What the operator allows."""

    most: int = 32
    """Utterances of one batch."""
    waiting: int = 128
    wait_s: float = 30.0
    """Longest wait for a batch."""
    batch_s: float = 5.0
    """Longest time one batch may run."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    step: StreamStep
    answer: "asyncio.Future[Hypothesis]"


class StepBatcher:
    """One model's callers. `start`, `decode` from any number of streams, `stop`."""

    def __init__(self, work: Work, limits: StepLimits) -> None:
        self._work = work
        self._limits = limits
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._runner = BatchRunner("streaming", limits.batch_s)
        self.stats = self._runner.stats
        """What was done since the start."""

    def start(self) -> None:
        """From now on steps are decoded."""
        self._runner.start(self._step, lambda: self._waiting)

    async def stop(self) -> None:
        """What waits or runs gets EngineUnavailable."""
        await self._runner.stop()
        self._waiting.clear()

    @property
    def waiting(self) -> int:
        """Steps in line now."""
        return len(self._waiting)

    async def decode(self, step: StreamStep) -> Hypothesis:
        """What the utterance says now. Raises EngineBusy when too many wait or it waited too long, EngineUnavailable.

        A stream sends its next step only when this has ended; after an error its utterance is worth nothing.
        """
        if not self._runner.is_running:
            raise EngineUnavailable("The recogniser is not running.")
        if len(self._waiting) >= self._limits.waiting:
            self.stats.refused += 1
            raise EngineBusy(f"{len(self._waiting)} streams wait for the recogniser already; try again later.")
        answer: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(step, answer))
        self._arrived.set()
        try:
            async with asyncio.timeout(self._limits.wait_s + self._limits.batch_s):
                return await answer
        except TimeoutError as error:
            self.stats.refused += 1
            raise EngineBusy("Waited too long for the recogniser, which is overloaded; try again later.") from error

    async def _step(self) -> None:
        self._arrived.clear()
        while batch := self._next():
            stop, steps = Stop(), [one.step for one in batch]
            audio_s = sum(len(step.clip) for step in steps) / ASR_RATE_HZ
            try:
                await self._runner.run(batch, partial(self._work, steps, stop), stop, audio_s)
            except EngineUnavailable as error:
                fail_all(batch, error)
        await self._arrived.wait()

    def _next(self) -> list[_Waiting]:
        """Those who waited longest; who is gone is forgotten."""
        wanted = [one for one in self._waiting if not one.answer.done()]
        batch, self._waiting = wanted[: self._limits.most], wanted[self._limits.most :]
        return batch
