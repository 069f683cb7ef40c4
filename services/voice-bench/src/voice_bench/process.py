"""How does one server live? Started with its own process group and log, ready, stopped; its failure names its log."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from voice_bench import orphan_reaper

POLL_S = 0.03
LOG_TAIL_LINES = 12


class StackFailed(Exception):
    """A server could not be started or died; the message names it and ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One command: `environment` is all it gets, `ready_path` is asked over HTTP, `cores` pins it."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    ports_file: Path
    log: Path
    ready_path: str = "/readyz"
    start_timeout_s: float = 60.0
    stop_timeout_s: float = 8.0
    cores: frozenset[int] = frozenset()
    port_variables: Mapping[str, str] = field(default_factory=dict)
    """By protocol: the variable that sets the port, so that a restart gets the ports it had before."""


class OrphanReaper:
    """The program that ends our servers when we are killed. Made by `reap_orphans`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def watch(self, group: int) -> None:
        """End this group when we are gone."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """It is gone."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())


@asynccontextmanager
async def reap_orphans() -> AsyncIterator[OrphanReaper]:
    """The reaper for this block; its program ends whatever it still watches at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", orphan_reaper.__file__, stdin=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        yield OrphanReaper(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.shield(process.wait())


class Server:
    """One server process. `start` waits until it is ready; `stop` and `kill` may be called at any time."""

    def __init__(self, launch: Launch, reaper: OrphanReaper) -> None:
        self.launch = launch
        self._reaper = reaper
        self._process: Process | None = None
        self._asked_to_end = False
        self._started = asyncio.Event()
        self.ports: Mapping[str, int] = {}
        """By protocol ("grpc", "http"); kept after the end, so that a restart can use them again."""

    @property
    def pid(self) -> int:
        """Of the process, which also leads its group."""
        assert self._process is not None, f"{self.launch.name} is not started"
        return self._process.pid

    async def start(self) -> None:
        """Start it, after an end on the ports it had, and wait until it is ready. Raises StackFailed."""
        launch = self.launch
        launch.ports_file.unlink(missing_ok=True)
        again = {launch.port_variables[name]: str(port) for name, port in self.ports.items() if launch.port_variables}
        await self._spawn({**launch.environment, **again})
        try:
            async with asyncio.timeout(launch.start_timeout_s):
                await self._until_ready()
        except TimeoutError:
            raise self.failure(f"was not ready after {launch.start_timeout_s:g} s") from None

    async def run(self) -> None:
        """For a command that ends by itself. Raises StackFailed when it fails or takes too long."""
        await self._spawn(self.launch.environment)
        assert self._process is not None
        try:
            async with asyncio.timeout(self.launch.start_timeout_s):
                status = await self._process.wait()
        except TimeoutError:
            await self.kill()
            raise self.failure(f"had not finished after {self.launch.start_timeout_s:g} s") from None
        self._reaper.forget(self.pid)
        if status:
            raise self.failure(f"ended with exit status {status}")

    async def stop(self) -> None:
        """Ask it to leave; make it, when it has not left in time."""
        if self._process is None or self._process.returncode is not None:
            return
        self._asked_to_end = True
        for number in (signal.SIGTERM, signal.SIGCONT):  # a stopped process can't hear the first
            self.signal(number)
        try:
            async with asyncio.timeout(self.launch.stop_timeout_s):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        self._reaper.forget(self.pid)

    async def kill(self) -> None:
        """SIGKILL for the whole group; returns when the process is gone."""
        if self._process is None or self._process.returncode is not None:
            return
        self._asked_to_end = True
        self.signal(signal.SIGKILL)
        await self._process.wait()
        self._reaper.forget(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """To every process of the group; nothing when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    async def until_died(self) -> None:
        """Raises StackFailed when it ends without having been asked to, now or after a restart."""
        while True:
            self._started.clear()
            if self._process is not None:
                await self._process.wait()
                self.check()
            await self._started.wait()

    def check(self) -> None:
        """Raises StackFailed when it has ended without having been asked to."""
        if self._process is not None and self._process.returncode is not None and not self._asked_to_end:
            raise self.failure(f"died with exit status {self._process.returncode}")

    def failure(self, what: str) -> StackFailed:
        """The sentence, with the end of the log."""
        try:
            lines = self.launch.log.read_text("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        tail = "\n".join(f"    {line}" for line in lines[-LOG_TAIL_LINES:]) or "    (its log is empty)"
        return StackFailed(f"{self.launch.name} {what}. The end of {self.launch.log.name}:\n{tail}")

    async def _spawn(self, environment: Mapping[str, str]) -> None:
        launch = self.launch
        with launch.log.open("ab") as log, _pinned(launch.cores):
            self._process = await asyncio.create_subprocess_exec(
                _installed(launch.name),
                *launch.arguments,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is ours to pass on, in our order
            )
        self._reaper.watch(self.pid)
        self._asked_to_end = False
        self._started.set()

    async def _until_ready(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            while True:
                if self._process is not None and self._process.returncode is not None:
                    raise self.failure(f"ended with exit status {self._process.returncode} before it was ready")
                # The file may be missing or half written, and nobody may listen yet.
                with contextlib.suppress(OSError, ValueError, aiohttp.ClientError, TimeoutError):
                    self.ports = json.loads(self.launch.ports_file.read_text())
                    async with http.get(f"http://127.0.0.1:{self.ports['http']}{self.launch.ready_path}") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(POLL_S)


def _installed(command: str) -> str:
    """Beside our own interpreter, or wherever PATH says. Raises StackFailed."""
    beside = Path(sys.executable).parent / command
    found = str(beside) if beside.exists() else shutil.which(command)
    if found is None:
        raise StackFailed(f"{command} is not installed here; install the workspace (make setup) and try again.")
    return found


@contextlib.contextmanager
def _pinned(cores: frozenset[int]) -> Iterator[None]:
    """What is started inside inherits these cores, with every thread it will ever have."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
