"""How does one model serve all callers? Batch after batch on one thread, each answered, broken off or failed.

owner's next batch ──▶ one run at a time on one thread ──▶ futures
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from speech_server.core.asr.asr_types import Hypothesis
from speech_server.engines.onnx.serial_executor import SerialExecutor, TookTooLong
from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.stats import EngineStats
from speech_server.errors import EngineUnavailable


class Waiting(Protocol):
    """Somebody in line."""

    @property
    def answer(self) -> "asyncio.Future[Hypothesis]":
        """What they wait for."""


class BatchRunner:
    """One model's batches. `start`, then `run` from the step it was started with, `stop`."""

    def __init__(self, name: str, limit_s: float) -> None:
        self.stats = EngineStats()
        self._name = name
        self._executor = SerialExecutor(name, limit_s)
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Will what is put in line be served?"""
        return self._task is not None and not self._task.done()

    def start(self, step: Callable[[], Awaitable[None]], waiting: Callable[[], Iterable[Waiting]]) -> None:
        """Run `step` again and again until `stop`; then those that still wait get EngineUnavailable."""
        self._executor.start()
        self._task = asyncio.create_task(self._serve(step, waiting), name=f"{self._name} batches")

    async def stop(self) -> None:
        """What waits or runs gets EngineUnavailable."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        await self._executor.stop()

    async def run(
        self,
        batch: Sequence[Waiting],
        work: Callable[[], list[Hypothesis]],
        stop: Stop,
        audio_s: float,
        when_stuck: Callable[[], None] | None = None,
    ) -> float:
        """Answer the batch with what `work` gives; gives the seconds it took. `when_stuck` runs after it hung.

        Raises TookTooLong, of which the batch has heard; EngineUnavailable, of which it has not.
        """
        began = time.monotonic()
        try:
            found = await self._executor.run(work, stop)
        except TookTooLong as error:
            self.stats.too_slow += len(batch)
            fail_all(batch, error)
            await self._executor.recover(when_stuck)
            raise
        except EngineUnavailable:
            raise
        except BaseException:
            fail_all(batch, EngineUnavailable("The recogniser was stopped."))
            raise
        for one, said in zip(batch, found, strict=True):
            if not one.answer.done():
                one.answer.set_result(said)
        took_s = time.monotonic() - began
        self.stats.note(len(batch), audio_s, took_s)
        return took_s

    async def _serve(self, step: Callable[[], Awaitable[None]], waiting: Callable[[], Iterable[Waiting]]) -> None:
        try:
            while True:
                await step()
        finally:
            fail_all(waiting(), EngineUnavailable("The recogniser was stopped."))


def fail_all(batch: Iterable[Waiting], error: Exception) -> None:
    """End the answers that somebody may wait for."""
    for one in batch:
        if not one.answer.done():
            one.answer.set_exception(error)
            # Nobody may be waiting any more; that is no news.
            one.answer.exception()
