"""How does a model do one thing at a time? Run after run on one thread, each with a hard limit."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.worker_thread import WorkerThread
from speech_server.errors import EngineUnavailable

GRACE_S = 2.0
"""After a run was told to stop: so long may it take, then its thread is left behind."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class TookTooLong(EngineUnavailable):
    """A run was broken off at its limit."""


class SerialExecutor:
    """One thread and its limit. `start`, `run` one piece of work at a time, `recover` after TookTooLong, `stop`."""

    def __init__(self, name: str, limit_s: float) -> None:
        self._name = name
        self._limit_s = limit_s
        self._worker: WorkerThread | None = None
        self._late: asyncio.Future[Any] | None = None

    def start(self) -> None:
        """From now on work can be run."""
        self._worker = WorkerThread(self._name)

    async def stop(self) -> None:
        """Let the thread end; what it does now has `GRACE_S` left."""
        if self._worker is not None:
            self._worker.leave()
            await asyncio.to_thread(self._worker.join, GRACE_S)
            self._worker = None

    async def run(self, work: Callable[[], T], stop: Stop) -> T:
        """What `work` gives. `stop` ends it: at the limit, counted as `stop` says, when cancelled, or from outside.

        Raises TookTooLong, EngineUnavailable.
        """
        assert self._worker is not None
        working = self._worker.run(work)
        try:
            done = await self._in_time(working, stop)
        except BaseException:
            stop.now()
            # Nobody waits for how it ends.
            working.cancel()
            raise
        if not done:
            stop.now()
            self._late = working
            raise TookTooLong(f"Recognising took longer than {self._limit_s:g} s and was broken off.")
        try:
            return working.result()
        except Exception as error:
            if not stop.is_asked:
                _log.warning("%s: a run failed: %s", self._name, error)
            if isinstance(error, EngineUnavailable):
                raise
            raise EngineUnavailable("The recogniser failed; its log says why.") from error

    async def _in_time(self, working: "asyncio.Future[T]", stop: Stop) -> bool:
        began = time.monotonic()
        while not working.done():
            left_s = max(began, stop.counts_from) + self._limit_s - time.monotonic()
            if left_s <= 0:
                return False
            # The limit may begin anew at any time; a look at it every limit is soon enough.
            await asyncio.wait({working}, timeout=min(left_s, self._limit_s))
        return True

    async def recover(self, when_stuck: Callable[[], None] | None = None) -> None:
        """Wait for the run that was broken off. One that hangs is left behind; `when_stuck` has the next thread.

        `when_stuck` has no limit: it may load a model.
        """
        late, self._late = self._late, None
        if late is None:
            return
        done, _ = await asyncio.wait({late}, timeout=GRACE_S)
        if done:
            late.exception()
            return
        _log.error("%s: a run hangs; its thread is left behind", self._name)
        late.cancel()
        assert self._worker is not None
        self._worker.leave()
        self._worker = WorkerThread(self._name)
        if when_stuck is not None:
            await self._worker.run(when_stuck)
