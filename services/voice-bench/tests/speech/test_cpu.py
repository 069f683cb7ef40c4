"""Is the CPU of a server counted with its children, also when they have ended?"""

import asyncio
import os
import sys

from voice_bench.speech.cpu import CpuMeter, cpu_of

BUSY = "import sys, time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\nsys.stdin.read()"


async def test_a_childs_time_counts_after_its_end() -> None:
    before = CpuMeter(os.getpid()).used_s()
    async with cpu_of(os.getpid()) as meter:
        assert meter is not None
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", BUSY, stdin=pipe, stdout=pipe)
        assert child.stdout is not None
        async with asyncio.timeout(20):
            await child.stdout.readline()
            meter.used_s()
            await child.communicate(b"")
    assert meter.used_s() - before >= 0.45


async def test_a_server_elsewhere_has_no_meter() -> None:
    async with cpu_of(None) as meter:
        assert meter is None
