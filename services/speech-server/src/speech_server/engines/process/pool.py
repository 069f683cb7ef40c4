"""How does the server reach its engine processes? Through one fork server, and a stream to each child it forks."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable
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
class _ForkServer:
    """A fork server process: `control` is the socket beneath `stream`, needed to send it other sockets."""

    process: Process
    stream: ProcessStream
    control: socket.socket

    @property
    def is_dead(self) -> bool:
        return self.process.returncode is not None


class ProcessPool:
    """An engine as a program that forks: `module` is run as the fork server, and forks a child for each stream.

    A fork server that died is replaced at the next `open`; the children it had live on until their streams close.
    """

    def __init__(self, engine: str, module: str, limit: int) -> None:
        self._engine = engine
        self._command = (sys.executable, "-P", "-m", module)
        self._limit = limit
        self._fork_server: _ForkServer | None = None
        self._streams: set[ProcessStream] = set()
        self._opening = asyncio.Lock()

    async def start(self) -> None:
        """Load. Raises EngineUnavailable with the fork server's own sentence."""
        async with self._opening:
            await self._living_fork_server()

    async def stop(self) -> None:
        """Hang up everywhere; returns when fork server and children are gone."""
        for stream in list(self._streams):
            self.release(stream)
        async with self._opening:
            await self._end_fork_server()

    async def open(self) -> ProcessStream:
        """A stream to a new child. Raises EngineBusy above the limit, EngineUnavailable when there is no child."""
        async with self._opening:
            if len(self._streams) >= self._limit:
                raise EngineBusy(f"{self._engine} serves {self._limit} streams, all in use; try again later")
            fork_server = await self._living_fork_server()
            try:
                stream = await self._fork(fork_server)
            except EngineUnavailable:
                if not await self._has_died():
                    raise
                stream = await self._fork(await self._living_fork_server())
            self._streams.add(stream)
            return stream

    def release(self, stream: ProcessStream) -> None:
        """Close a stream and make room for another. Safe to call twice."""
        self._streams.discard(stream)
        stream.close()

    async def _fork(self, fork_server: _ForkServer) -> ProcessStream:
        ours, theirs = socket.socketpair()
        stream = ProcessStream(self._engine, *await asyncio.open_unix_connection(sock=ours))
        try:
            with theirs:
                socket.send_fds(fork_server.control, [b"o"], [theirs.fileno()])
            await stream.receive(_FORK_S)
        except OSError as error:
            stream.close()
            raise EngineUnavailable(f"{self._engine} takes no streams now; try again") from error
        except BaseException:
            stream.close()
            raise
        return stream

    async def _living_fork_server(self) -> _ForkServer:
        if self._fork_server is not None and self._fork_server.is_dead:
            _log.warning("%s died and is started again: %r", self._engine, self._fork_server.process)
            await self._end_fork_server()
        if self._fork_server is None:
            ours, theirs = socket.socketpair()
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=theirs.fileno(), start_new_session=True
                )
            stream = ProcessStream(self._engine, *await asyncio.open_unix_connection(sock=ours))
            self._fork_server = _ForkServer(process, stream, ours)
            try:
                await stream.receive(_LOAD_S)
            except BaseException:
                await asyncio.shield(self._end_fork_server())
                raise
        return self._fork_server

    async def _has_died(self) -> bool:
        """Is the fork server gone? It may have died so lately that nobody has been told yet."""
        assert self._fork_server is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NOTICE_S):
                await self._fork_server.process.wait()
        return self._fork_server.is_dead

    async def _end_fork_server(self) -> None:
        if self._fork_server is None:
            return
        process = self._fork_server.process
        self._fork_server.stream.close()
        self._fork_server = None
        try:
            async with asyncio.timeout(_EXIT_S):
                await process.wait()
        except TimeoutError:
            _log.warning("%s: the fork server process did not leave; killing it", self._engine)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
