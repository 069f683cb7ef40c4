"""How soon do callers beyond the limit know? A program of its own: a loop full of streams would add to it.

    python -m voice_bench.speech.overload_probe HOST:PORT COUNT    connects, says "ready", waits for a line, then tries

One caller first, who is not counted: connection and code are warm then. COUNT callers all at once, then as many one by
one. The answer is a line of JSON: `Refusals`.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field

import grpc
from riva.client.proto import riva_asr_pb2 as asr
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub

from voice_bench.measure.clips import RATE_HZ

EVERY_S = 0.02
"""Between callers who come one by one."""
READY_WITHIN_S, DONE_WITHIN_S = 30.0, 60.0


@dataclass(slots=True)
class Refusals:
    """Seconds from the call to its RESOURCE_EXHAUSTED."""

    together: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)
    not_refused: int = 0


class OverloadProbe:
    """The program, connected. `try_all` once."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def try_all(self) -> Refusals:
        """Let them try now, and say how they fared."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        return Refusals(**json.loads(await self.line(DONE_WITHIN_S)))

    async def line(self, within_s: float) -> bytes:
        """What the program says next."""
        assert self._process.stdout is not None
        return await asyncio.wait_for(self._process.stdout.readline(), within_s)


@asynccontextmanager
async def overload_probe(target: str, count: int) -> AsyncIterator[OverloadProbe]:
    """The program, while the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, target, str(count), stdin=PIPE, stdout=PIPE
    )
    try:
        started = OverloadProbe(process)
        await started.line(READY_WITHIN_S)
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _try(stub: RivaSpeechRecognitionStub, took: list[float], refusals: Refusals) -> None:
    began = time.monotonic()
    config = asr.StreamingRecognitionConfig(config=asr.RecognitionConfig(sample_rate_hertz=RATE_HZ))
    call = stub.StreamingRecognize(iter([asr.StreamingRecognizeRequest(streaming_config=config)]))
    if await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        took.append(time.monotonic() - began)
    else:
        refusals.not_refused += 1


async def _main(target: str, count: int) -> None:
    refusals = Refusals()
    if hasattr(os, "sched_setaffinity"):
        # Not on the one core that the hundred streams are sent from: other callers come from elsewhere.
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    async with grpc.aio.insecure_channel(target) as channel:
        await asyncio.wait_for(channel.channel_ready(), READY_WITHIN_S)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        stub = RivaSpeechRecognitionStub(channel)
        await _try(stub, [], refusals)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(_try(stub, refusals.together, refusals))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                await asyncio.sleep(EVERY_S)
                tasks.create_task(_try(stub, refusals.apart, refusals))
    sys.stdout.write(json.dumps(asdict(refusals)) + "\n")


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
