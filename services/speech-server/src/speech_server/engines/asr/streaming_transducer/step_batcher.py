"""How do all callers share one streaming model? Whoever has audio when the model is free goes into its next tick.

    hear ──▶ waiting (one ask a stream, bounded) ──▶ one tick at a time on one thread ──▶ futures

Nothing waits for ever: an ask has a deadline while it waits, and a tick a hard limit while it runs.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.engines.asr.streaming_transducer.model import StreamStep
from speech_server.engines.onnx.serial_executor import SerialExecutor, TookTooLong, fail, give
from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.stats import EngineStats
from speech_server.errors import EngineBusy, EngineUnavailable

Work = Callable[[Sequence[StreamStep], Stop], list[Hypothesis]]
"""The model; blocking."""


@dataclass(frozen=True, slots=True)
class StepLimits:
    """What the operator allows."""

    most: int = 32
    """Utterances of one tick."""
    waiting: int = 128
    wait_s: float = 30.0
    """Longest wait for a tick."""
    tick_s: float = 5.0
    """Longest time one tick may run."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    ask: StreamStep
    answer: "asyncio.Future[Hypothesis]"


class StepBatcher:
    """One model's turn-taking. `start`, `hear` from any number of streams, `stop`."""

    def __init__(self, work: Work, limits: StepLimits) -> None:
        self._work = work
        self._limits = limits
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._turns = SerialExecutor("streaming", limits.tick_s)
        self.load = EngineStats()

    def start(self) -> None:
        """From now on asks are heard."""
        self._turns.start()
        self._runner = asyncio.create_task(self._run(), name="streaming ticks")

    async def stop(self) -> None:
        """What waits or runs gets EngineUnavailable."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait([self._runner])
            self._runner = None
        await self._turns.stop()

    @property
    def waiting(self) -> int:
        """Asks in line now."""
        return len(self._waiting)

    async def hear(self, ask: StreamStep) -> Hypothesis:
        """What the utterance says now. Raises EngineBusy when too many wait or it waited too long, EngineUnavailable.

        A stream asks again only when this has ended; after an error its utterance is worth nothing.
        """
        if self._runner is None or self._runner.done():
            raise EngineUnavailable("The recogniser is not running.")
        if len(self._waiting) >= self._limits.waiting:
            self.load.refused += 1
            raise EngineBusy(f"{len(self._waiting)} streams wait for the recogniser already; try again later.")
        answer: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(ask, answer))
        self._arrived.set()
        try:
            async with asyncio.timeout(self._limits.wait_s + self._limits.tick_s):
                return await answer
        except TimeoutError as error:
            self.load.refused += 1
            raise EngineBusy("Waited too long for the recogniser, which is overloaded; try again later.") from error

    async def _run(self) -> None:
        try:
            while True:
                self._arrived.clear()
                while batch := self._next():
                    await self._tick(batch)
                await self._arrived.wait()
        finally:
            _fail_all(self._waiting, EngineUnavailable("The recogniser was stopped."))
            self._waiting.clear()

    def _next(self) -> list[_Waiting]:
        """Those who waited longest; who is gone is forgotten."""
        wanted = [one for one in self._waiting if not one.answer.done()]
        batch, self._waiting = wanted[: self._limits.most], wanted[self._limits.most :]
        return batch

    async def _tick(self, batch: Sequence[_Waiting]) -> None:
        stop, asks, began = Stop(), [one.ask for one in batch], time.monotonic()
        try:
            found = await self._turns.take(lambda: self._work(asks, stop), stop)
        except TookTooLong as error:
            self.load.too_slow += len(batch)
            _fail_all(batch, error)
            await self._turns.recover()
        except EngineUnavailable as error:
            _fail_all(batch, error)
        except BaseException:
            _fail_all(batch, EngineUnavailable("The recogniser was stopped."))
            raise
        else:
            for one, said in zip(batch, found, strict=True):
                give(one.answer, said)
            self._note(asks, time.monotonic() - began)

    def _note(self, asks: Sequence[StreamStep], took_s: float) -> None:
        self.load.batches += 1
        self.load.clips += len(asks)
        self.load.audio_s += sum(len(ask.clip) for ask in asks) / ASR_RATE_HZ
        self.load.busy_s += took_s


def _fail_all(batch: Sequence[_Waiting], error: EngineUnavailable) -> None:
    for one in batch:
        fail(one.answer, error)
