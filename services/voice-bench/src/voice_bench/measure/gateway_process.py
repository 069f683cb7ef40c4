"""Which gateway is measured, and how does it run? In a process of its own, alone on a core where that is possible."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import psutil

from voice_bench.measure import host_info
from voice_bench.measure.expected_latency import TurnTimestamps, timestamps_by_tag
from voice_bench.process import Launch, Server, reap_orphans
from voice_bench.stack import Stack, running
from voice_bench.stack_config import Part, StackConfig

TIMELINE_FLUSH_S = 0.4
"""Twice what the simulators may keep a line back."""


class Kind(Enum):
    """The value is the module that serves."""

    OURS = "voice_bench.measure.instrumented_gateway"
    BASELINE = "voice_bench.measure.baseline_gateway"


@dataclass(frozen=True, slots=True)
class GatewayInternals:
    """What the gateway's own loop says it holds."""

    tasks: int
    names: Mapping[str, int]
    objects: int
    files: int
    """Open file descriptors."""

    def new_tasks(self, before: "GatewayInternals") -> dict[str, int]:
        """How many more there are than `before`, by name; kinds of task that did not grow are left out."""
        more = {name: count - before.names.get(name, 0) for name, count in self.names.items()}
        return {name: count for name, count in more.items() if count > 0}


@dataclass(frozen=True, slots=True)
class Sample:
    """The gateway with, or after, so many calls."""

    calls: int
    rss_mb: float
    threads: int
    files: int


class GatewayProcess:
    """A running gateway: where it is, and what it costs."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._process = psutil.Process(server.pid)

    @property
    def target(self) -> str:
        """host:port of its gRPC service."""
        return f"127.0.0.1:{self._server.ports['grpc']}"

    @property
    def web_url(self) -> str:
        """Where browsers and WebSockets call."""
        return f"http://127.0.0.1:{self._server.ports['web']}"

    @property
    def http_url(self) -> str:
        """Its health and metrics."""
        return f"http://127.0.0.1:{self._server.ports['http']}"

    def log(self) -> str:
        """What it wrote."""
        return (self._folder / "gateway.log").read_text(encoding="utf-8", errors="replace")

    def cpu_s(self) -> float:
        """Processor time so far, user and system."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def rss_mb(self) -> float:
        """Resident memory, MB of 2**20 bytes."""
        return float(self._process.memory_info().rss) / 2**20

    def sample(self, calls: int) -> Sample:
        """What it holds now."""
        return Sample(calls, self.rss_mb(), self._process.num_threads(), self._process.num_fds())

    async def internals(self) -> GatewayInternals:
        """Ask its loop; only for Kind.OURS. Raises TimeoutError when it does not answer within 5 s."""
        file = self._folder / "inside.json"
        file.unlink(missing_ok=True)
        self._server.signal(signal.SIGUSR1)
        async with asyncio.timeout(5):
            while not file.exists():  # noqa: ASYNC110 - a file is no event
                await asyncio.sleep(0.02)
        content = json.loads(file.read_text(encoding="utf-8"))
        return GatewayInternals(content["tasks"], content["names"], content["objects"], self._process.num_fds())


@asynccontextmanager
async def simulators(config: StackConfig) -> AsyncIterator[Stack]:
    """The speech server and the mini LLM of `config`, beside the callers, away from the gateway's core."""
    _, elsewhere = host_info.cores()
    cores = {Part.SPEECH: frozenset(elsewhere), Part.LLM: frozenset(elsewhere)}
    async with running(replace(config, external={Part.GATEWAY: "started by itself"}, cores=cores)) as stack:
        yield stack


@asynccontextmanager
async def gateway(
    stack: Stack, kind: Kind, settings: Mapping[str, str] | None = None, cgroup_procs: Path | None = None
) -> AsyncIterator[GatewayProcess]:
    """A gateway of this kind in front of the stack's backends; `settings` win over the config's. With `cgroup_procs` it
    lives in that control group."""
    async with reap_orphans() as reaper:
        folder = stack.folder / kind.name.lower()
        folder.mkdir(exist_ok=True)
        server = Server(_launch(stack, kind, settings or {}, folder, cgroup_procs), reaper)
        try:
            await server.start()
            yield GatewayProcess(server, folder)
            server.check()
        finally:
            await asyncio.shield(server.stop())


async def timestamps(stack: Stack) -> dict[str, TurnTimestamps]:
    """The simulators' time stamps so far, by turn."""
    await asyncio.sleep(TIMELINE_FLUSH_S)
    files = (stack.timeline(Part.SPEECH), stack.timeline(Part.LLM))
    lines = [line for file in files if file.exists() for line in file.read_text(encoding="utf-8").splitlines()]
    return timestamps_by_tag(lines)


def _launch(stack: Stack, kind: Kind, settings: Mapping[str, str], folder: Path, cgroup_procs: Path | None) -> Launch:
    ports_file = folder / "ports.json"
    host, _, port = stack.speech_target.rpartition(":")
    alone, _ = host_info.cores()
    environment = {
        "PYTHONUNBUFFERED": "1",
        "GATEWAY_HOST": "127.0.0.1",
        "GATEWAY_PORT": "0",
        "GATEWAY_HTTP_PORT": "0",
        "GATEWAY_WEB_PORT": "0",
        "GATEWAY_DRAIN_S": "1",
        "GATEWAY_MAX_SESSIONS": "1000",
        "LOG_LEVEL": "WARNING",
        **stack.config.settings(Part.GATEWAY),
        **settings,
        "GATEWAY_PORTS_FILE": str(ports_file),
        "RIVA_HOST": host,
        "RIVA_PORT": port,
        "LLM_BASE_URL": stack.llm_base_url,
        "VOICE_BENCH_INSIDE": str(folder / "inside.json"),
    }
    joining = ("-m", "voice_bench.measure.inside_cgroup", str(cgroup_procs)) if cgroup_procs else ()
    return Launch(
        name="python",
        arguments=(*joining, "-m", kind.value),
        environment=environment,
        ports_file=ports_file,
        log=folder / "gateway.log",
        cores=frozenset(alone),
    )
