"""How does the whole stack run on free ports of this machine? `async with running(embedded()) as stack:`

Leaving the block ends every process: by SIGTERM, then by SIGKILL. So does the death of this program (`orphan_reaper`).
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from voice_bench.process import Launch, OrphanReaper, Server, StackFailed, reap_orphans
from voice_bench.stack_config import Part, StackConfig

_HOST = "127.0.0.1"
_READY = {Part.SPEECH: "/readyz", Part.LLM: "/v1/health/ready", Part.GATEWAY: "/readyz"}
_PREFIX = {Part.SPEECH: "SPEECH", Part.LLM: "MINI_LLM", Part.GATEWAY: "GATEWAY"}
_PORT_NAMES = {
    Part.SPEECH: {"grpc": "SPEECH_GRPC_PORT", "http": "SPEECH_HTTP_PORT"},
    Part.LLM: {"http": "MINI_LLM_PORT"},
    Part.GATEWAY: {"grpc": "GATEWAY_PORT", "http": "GATEWAY_HTTP_PORT", "web": "GATEWAY_WEB_PORT"},
}
_TIMELINE_NAMES = {Part.SPEECH: "SPEECH_TIMELINE", Part.LLM: "MINI_LLM_TIMELINE"}
_QUICK_END = {
    Part.SPEECH: {"SPEECH_DRAIN_NOTICE_S": "0", "SPEECH_DRAIN_GRACE_S": "1"},
    Part.LLM: {"MINI_LLM_DRAIN_S": "1"},
    Part.GATEWAY: {"GATEWAY_DRAIN_S": "1"},
}

_Result = TypeVar("_Result")


class Stack:
    """Running servers. Made by `running`."""

    def __init__(self, config: StackConfig, folder: Path, reaper: OrphanReaper) -> None:
        self.config = config
        self.folder = folder
        self._reaper = reaper
        self.servers: dict[Part, Server] = {}
        """The parts that run here: start, stop, kill or signal them at any time."""

    @property
    def target(self) -> str:
        """Where callers call: host:port."""
        return self.config.external.get(Part.GATEWAY) or f"{_HOST}:{self.port(Part.GATEWAY, 'grpc')}"

    @property
    def speech_target(self) -> str:
        """Riva's services: host:port."""
        return self.config.external.get(Part.SPEECH) or f"{_HOST}:{self.port(Part.SPEECH, 'grpc')}"

    @property
    def llm_base_url(self) -> str:
        """The language model, with "/v1"."""
        return self.config.external.get(Part.LLM) or f"{self.http_url(Part.LLM)}/v1"

    def http_url(self, part: Part) -> str:
        """Health and metrics of a part that runs here."""
        return f"http://{_HOST}:{self.port(part, 'http')}"

    def port(self, part: Part, protocol: str) -> int:
        """Of a part that runs here; protocol is "grpc" or "http"."""
        return self.servers[part].ports[protocol]

    def log(self, part: Part) -> Path:
        """Everything the part wrote on its outputs."""
        return self.folder / f"{part.value}.log"

    def timeline(self, part: Part) -> Path:
        """JSON lines with the moments of SPEECH (scripted engines) or LLM, on this machine's monotonic clock."""
        return self.folder / f"{part.value}.timeline.jsonl"

    async def until_a_part_dies(self) -> None:
        """Raises StackFailed when a part ends that nobody had ended; otherwise never returns."""
        try:
            async with asyncio.TaskGroup() as watching:
                for part, server in self.servers.items():
                    watching.create_task(server.until_died(), name=f"watch {part.value}")
        except* StackFailed as failures:
            raise failures.exceptions[0] from None

    async def beside(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """What `work` gives. Raises StackFailed, and cancels `work`, when a part dies meanwhile."""
        doing = asyncio.create_task(work, name="work beside the stack")
        watching = asyncio.create_task(self.until_a_part_dies(), name="watch the stack")
        try:
            await asyncio.wait({doing, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                await watching
            return await doing
        finally:
            for task in (doing, watching):
                task.cancel()
            await asyncio.gather(doing, watching, return_exceptions=True)

    async def launch(self, part: Part) -> None:
        """Start a part. Raises StackFailed."""
        name, arguments = part.value, tuple[str, ...]()
        if part in self.config.groups:
            joining = ("-m", "voice_bench.measure.inside_cgroup", str(self.config.groups[part]))
            name, arguments = "python", (*joining, "-m", part.value.replace("-", "_"))
        launch = Launch(
            name=name,
            arguments=arguments,
            environment=_environment(self, part),
            port_variables=_PORT_NAMES[part],
            ports_file=self.folder / f"{part.value}.ports.json",
            log=self.log(part),
            ready_path=_READY[part],
            start_timeout_s=self.config.start_timeout_s,
            stop_timeout_s=self.config.stop_timeout_s,
            cores=self.config.cores.get(part, frozenset()),
        )
        self.servers[part] = Server(launch, self._reaper)
        await self.servers[part].start()


@asynccontextmanager
async def running(config: StackConfig) -> AsyncIterator[Stack]:
    """The stack of `config`, ready. Raises StackFailed when a part can't be started, or had died at the end."""
    async with AsyncExitStack() as ending:
        if config.folder is None:
            folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="voice-stack-")))
        else:
            folder = config.folder
            folder.mkdir(parents=True, exist_ok=True)
        reaper = await ending.enter_async_context(reap_orphans())
        stack = Stack(config, folder, reaper)
        try:
            await _start_all(stack)
            yield stack
            for server in stack.servers.values():
                server.check()
        finally:
            await asyncio.shield(_stop_all(stack))


async def _start_all(stack: Stack) -> None:
    try:
        async with asyncio.TaskGroup() as starting:
            for part in (Part.SPEECH, Part.LLM):
                if stack.config.runs(part):
                    starting.create_task(stack.launch(part), name=f"start {part.value}")
    except* StackFailed as failures:
        raise failures.exceptions[0] from None
    if stack.config.runs(Part.GATEWAY):
        await stack.launch(Part.GATEWAY)


async def _stop_all(stack: Stack) -> None:
    """Callers first: nobody's server leaves before those who use it."""
    first, rest = stack.servers.pop(Part.GATEWAY, None), list(stack.servers.values())
    if first is not None:
        await first.stop()
    await asyncio.gather(*(server.stop() for server in rest))


def _environment(stack: Stack, part: Part) -> dict[str, str]:
    given = stack.config.settings(part)
    ours = {
        f"{_PREFIX[part]}_HOST": _HOST,
        f"{_PREFIX[part]}_PORTS_FILE": str(stack.folder / f"{part.value}.ports.json"),
    }
    if part in _TIMELINE_NAMES:
        ours[_TIMELINE_NAMES[part]] = str(stack.timeline(part))
    if part is Part.GATEWAY:
        host, _, port = stack.speech_target.rpartition(":")
        ours |= {"RIVA_HOST": host, "RIVA_PORT": port, "LLM_BASE_URL": stack.llm_base_url}
    free_ports = dict.fromkeys(_PORT_NAMES[part].values(), "0")
    return {"PYTHONUNBUFFERED": "1", **_QUICK_END[part], **free_ports, **given, **ours}
