"""Which speech server is measured? One of our own on free ports, or any that speaks Riva."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil

from voice_bench.stack import running
from voice_bench.stack_config import Part, StackConfig

ELSEWHERE = {Part.LLM: "not needed", Part.GATEWAY: "not needed"}

_ENGINES = ("PARAKEET_", "STREAMING_", "MOONSHINE_", "SCRIPT_", "SPEECH_", "HF_", "XDG_", "CUDA_")
_NOT_OF_ENGINES = {
    "SPEECH_HOST",
    "SPEECH_GRPC_PORT",
    "SPEECH_HTTP_PORT",
    "SPEECH_PORTS_FILE",
    "SPEECH_TIMELINE",
    "SPEECH_REQUEST_LOG",
}
"""Our own server has its own."""


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


def engine_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an operator's environment says how engines hear: models, and what counts as speech."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_ENGINES) and name not in _NOT_OF_ENGINES and not name.startswith("SPEECH_TLS_")
    }


@asynccontextmanager
async def speech_server(
    settings: Mapping[str, str], target: str | None = None, start_within_s: float = 60.0
) -> AsyncIterator[SpeechServer]:
    """The server at `target`, or one of our own with these settings. Raises StackFailed."""
    if target is not None:
        yield SpeechServer(target)
        return
    config = StackConfig(speech=settings, external=ELSEWHERE, start_timeout_s=start_within_s)
    async with running(config) as stack:
        yield SpeechServer(stack.speech_target, stack.http_url(Part.SPEECH), stack.servers[Part.SPEECH].pid)
