"""Which speech server is measured? One of our own on free ports, or any that speaks Riva."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil

from voice_bench.plan import Part, StackPlan
from voice_bench.stack import running

ELSEWHERE = {Part.LLM: "not needed", Part.GATEWAY: "not needed"}


@dataclass(frozen=True, slots=True)
class SpeechServer:
    """Where it is; `pid` and `http_url` of our own only."""

    target: str
    http_url: str | None = None
    pid: int | None = None

    def process(self) -> psutil.Process:
        """Our own server's process."""
        assert self.pid is not None, "a server that runs elsewhere has no process here"
        return psutil.Process(self.pid)


@asynccontextmanager
async def speech_server(settings: Mapping[str, str], target: str | None = None) -> AsyncIterator[SpeechServer]:
    """The server at `target`, or one of our own with these settings. Raises StackFailed."""
    if target is not None:
        yield SpeechServer(target)
        return
    async with running(StackPlan(speech=settings, external=ELSEWHERE)) as stack:
        yield SpeechServer(stack.speech_target, stack.http_url(Part.SPEECH), stack.pid(Part.SPEECH))
