"""How much CPU does a server use, with every process it starts?

A process that has ended tells nothing any more, and its parent need not have counted it. So all are looked at again and
again, and the last that was seen of each one counts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

EVERY_S = 0.2
"""So much of a process that ends may be missed."""


class CpuMeter:
    """Of a process and its children, from `__init__` on."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._seen: dict[psutil.Process, float] = {}
        self.used_s()

    def used_s(self) -> float:
        """Seconds on a CPU so far. Blocking for milliseconds."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in (self._process, *self._process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = one.cpu_times()
                    self._seen[one] = times.user + times.system
        return sum(self._seen.values())


@asynccontextmanager
async def cpu_of(pid: int | None) -> AsyncIterator[CpuMeter | None]:
    """A meter that also sees short-lived children; None for a server that runs elsewhere."""
    if pid is None:
        yield None
        return
    meter = CpuMeter(pid)

    async def watch() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await asyncio.to_thread(meter.used_s)

    watching = asyncio.create_task(watch(), name="watch the server's CPU")
    try:
        yield meter
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
