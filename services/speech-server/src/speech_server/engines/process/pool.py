"""How does the server reach its engine processes? Through one template, and a line to each child it forks."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from speech_server.engines.process.fork_server import CHILD_EXIT_S
from speech_server.engines.process.protocol import FAILED, Frame, pack, read_frame
from speech_server.errors import EngineBusy, EngineUnavailable

_LOAD_S = 60.0
_FORK_S = 10.0
_ANSWER_S = 60.0
_NOTICE_S = 0.5
_EXIT_S = CHILD_EXIT_S + 2.0

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class ProcessStream:
    """The server's end of a socket to one process of the engine. `close` it; that ends the process."""

    def __init__(self, engine: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._engine = engine
        self._reader = reader
        self._writer = writer
        self._owed = 0

    async def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Raises EngineUnavailable when the process is gone or takes nothing any more."""
        self._writer.write(pack(kind, payload))
        await self._in_time(self._writer.drain(), _ANSWER_S)

    async def receive(self, deadline_s: float = _ANSWER_S) -> Frame:
        """The next frame. Raises EngineUnavailable when the process failed, is gone, or stays silent."""
        kind, payload = await self._in_time(read_frame(self._reader), deadline_s)
        if kind == FAILED:
            raise EngineUnavailable(payload.decode())
        return kind, payload

    async def ask(self, kind: bytes, payload: bytes = b"") -> bytes:
        """Send a frame and give its answer's payload; answers to questions cancelled earlier are passed over."""
        self._owed += 1
        await self.send(kind, payload)
        answer = b""
        while self._owed:
            _, answer = await self.receive()
            self._owed -= 1
        return answer

    def close(self) -> None:
        """Hang up: the process ends as soon as it reads or writes. Safe to call twice."""
        self._writer.transport.abort()

    async def _in_time(self, step: Awaitable[_T], deadline_s: float) -> _T:
        try:
            async with asyncio.timeout(deadline_s):
                return await step
        except TimeoutError as error:
            raise EngineUnavailable(f"{self._engine} did not answer within {deadline_s:g} s; try again") from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EngineUnavailable(f"{self._engine} died while it worked for this stream; try again") from error


@dataclass(frozen=True)
class _Template:
    """A template process: `control` is the socket beneath `line`, needed to send it other sockets."""

    process: Process
    line: ProcessStream
    control: socket.socket

    @property
    def is_dead(self) -> bool:
        return self.process.returncode is not None


class ProcessPool:
    """An engine as a program that forks: `module` is run as the template, and forks a child for each line.

    A template that died is replaced at the next `open`; the children it had live on until their lines close.
    """

    def __init__(self, engine: str, module: str, arguments: Sequence[str], limit: int) -> None:
        self._engine = engine
        self._command = (sys.executable, "-P", "-m", module, *arguments)
        self._limit = limit
        self._template: _Template | None = None
        self._lines: set[ProcessStream] = set()
        self._opening = asyncio.Lock()

    async def start(self) -> None:
        """Load. Raises EngineUnavailable with the template's own sentence."""
        async with self._opening:
            await self._living_template()

    async def stop(self) -> None:
        """Hang up everywhere; returns when template and children are gone."""
        for line in list(self._lines):
            self.release(line)
        async with self._opening:
            await self._end_template()

    async def open(self) -> ProcessStream:
        """A line to a new child. Raises EngineBusy above the limit, EngineUnavailable when there is no child."""
        async with self._opening:
            if len(self._lines) >= self._limit:
                raise EngineBusy(f"{self._engine} serves {self._limit} streams, all in use; try again later")
            template = await self._living_template()
            try:
                line = await self._fork(template)
            except EngineUnavailable:
                if not await self._has_died():
                    raise
                line = await self._fork(await self._living_template())
            self._lines.add(line)
            return line

    def release(self, line: ProcessStream) -> None:
        """Close a line and make room for another. Safe to call twice."""
        self._lines.discard(line)
        line.close()

    async def _fork(self, template: _Template) -> ProcessStream:
        ours, theirs = socket.socketpair()
        line = ProcessStream(self._engine, *await asyncio.open_unix_connection(sock=ours))
        try:
            with theirs:
                socket.send_fds(template.control, [b"o"], [theirs.fileno()])
            await line.receive(_FORK_S)
        except OSError as error:
            line.close()
            raise EngineUnavailable(f"{self._engine} takes no streams now; try again") from error
        except BaseException:
            line.close()
            raise
        return line

    async def _living_template(self) -> _Template:
        if self._template is not None and self._template.is_dead:
            _log.warning("%s died and is started again: %r", self._engine, self._template.process)
            await self._end_template()
        if self._template is None:
            ours, theirs = socket.socketpair()
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=theirs.fileno(), start_new_session=True
                )
            line = ProcessStream(self._engine, *await asyncio.open_unix_connection(sock=ours))
            self._template = _Template(process, line, ours)
            try:
                await line.receive(_LOAD_S)
            except BaseException:
                await asyncio.shield(self._end_template())
                raise
        return self._template

    async def _has_died(self) -> bool:
        """Is the template gone? It may have died so lately that nobody has been told yet."""
        assert self._template is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NOTICE_S):
                await self._template.process.wait()
        return self._template.is_dead

    async def _end_template(self) -> None:
        if self._template is None:
            return
        process = self._template.process
        self._template.line.close()
        self._template = None
        try:
            async with asyncio.timeout(_EXIT_S):
                await process.wait()
        except TimeoutError:
            _log.warning("%s: the template process did not leave; killing it", self._engine)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
