"""What does every flood need? A program that floods, and the peak memory of the server."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from voice_bench.measure.caller import CallFailed
from voice_bench.measure.cgroup import Cgroup

_LATE_S = 5.0


@asynccontextmanager
async def peak(rss_mb: Callable[[], float], group: Cgroup | str) -> AsyncIterator[list[float]]:
    """The most memory of the block: the group's, or where there is none, the process's own, ten times a second."""
    most = [0.0]

    async def sample() -> None:
        while True:
            most[0] = max(most[0], rss_mb())
            await asyncio.sleep(0.1)

    sampling = asyncio.create_task(sample(), name="memory")
    try:
        yield most
    finally:
        sampling.cancel()
        if isinstance(group, Cgroup):
            most[0] = group.peak_mb()


async def run_flood(module: str, arguments: Sequence[str], seconds: float) -> dict[str, int]:
    """Run a flood as a program of its own; what it counted. Raises CallFailed when it does not run."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    told = b"{}"
    try:
        async with asyncio.timeout(seconds + _LATE_S):
            told, _ = await process.communicate()
    except TimeoutError:
        pass  # it has flooded for long enough, and is too busy to count
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not told:
        raise CallFailed(f"{module} ended with exit status {process.returncode} and said nothing")
    counts: dict[str, int] = json.loads(told)
    return counts
