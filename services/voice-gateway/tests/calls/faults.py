"""Backends that do what the outside does: unknown statuses, bytes that don't decode, resets, stalls, drops, garbage.

A `Switch` stands before a backend and leads either to the well one, or nowhere in some way, or to a server that plays a
script: `ScriptedGrpc` for Riva and its health service, `ScriptedHttp` for the language model.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, TypeAlias

import grpc
from waiting import Changes


@dataclass(frozen=True)
class Status:
    """Ends a gRPC call."""

    code: grpc.StatusCode


@dataclass(frozen=True)
class Stall:
    """Nothing more comes."""


@dataclass(frozen=True)
class Reset:
    """The connection breaks."""


Deed: TypeAlias = bytes | Status | Stall | Reset
"""One step of a script; bytes are sent as they are."""


class Switch:
    """A TCP port before a backend. `lead_to` and `go_wrong` end the connections there are."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.port = 0
        self.met = 0
        """Connections since the last change."""
        self._upstream: int | None = None
        self._greeting: Sequence[Deed] = ()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._handlers = 0
        self._passes = asyncio.Event()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._passes.set()

    async def stop(self) -> None:
        """Be gone, once every connection is closed."""
        if self._server:
            await _no_more(self._server)
        self._passes.set()
        self._cut()
        await self.changes.until(lambda: not self._handlers, "the end of all connections")

    def lead_to(self, port: int) -> None:
        """To the server on `port` from now on."""
        self._change(port, ())

    def go_wrong(self, *deeds: Deed) -> None:
        """To nobody: a connection gets these bytes, and then nothing, or a reset."""
        self._change(None, deeds)

    def black_hole(self) -> None:
        """Nothing gets through any more, and nobody is told; `lead_to` ends it."""
        self._passes.clear()
        self.met = 1
        self.changes.tell()

    def _change(self, upstream: int | None, greeting: Sequence[Deed]) -> None:
        self._upstream, self._greeting, self.met = upstream, greeting, 0
        self._passes.set()
        self._cut()

    def _cut(self) -> None:
        for writer in tuple(self._connections):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        self._handlers += 1
        self.met += 1
        self.changes.tell()
        try:
            if self._upstream is None:
                await play(self._greeting, reader, writer)
            else:
                await self._relay(reader, writer, self._upstream)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(writer)
            await _closed(writer)
            self._handlers -= 1
            self.changes.tell()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        self._connections.add(up_writer)
        try:
            async with asyncio.TaskGroup() as tasks:
                up = tasks.create_task(self._pump(reader, up_writer), name="relay up")
                down = tasks.create_task(self._pump(up_reader, writer), name="relay down")
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
                up.cancel()
                down.cancel()
        finally:
            self._connections.discard(up_writer)
            await _closed(up_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                await self._passes.wait()
                writer.write(piece)
                await writer.drain()


class ScriptedGrpc(grpc.GenericRpcHandler):
    """Any method of any service: the health service plays `health`, all others `streams`."""

    def __init__(self) -> None:
        self.port = 0
        self.health: Sequence[Deed] = ()
        self.streams: Sequence[Deed] = ()
        self._server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))

    async def start(self) -> None:
        """Serve."""
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()

    async def stop(self) -> None:
        """Be gone."""
        await self._server.stop(None)

    def service(self, details: Any) -> Any:
        """gRPC asks who serves a method; bytes go in and out as they are."""
        deeds = self.health if "Health" in details.method else self.streams

        async def answer(requests: AsyncIterator[bytes], context: Any) -> None:
            await anext(requests, None)
            for deed in deeds:
                match deed:
                    case bytes():
                        await context.write(deed)
                    case Status(code):
                        await context.abort(code, "\x00 on purpose \u2603")
                    case Stall() | Reset():
                        await asyncio.Event().wait()

        return grpc.stream_stream_rpc_method_handler(answer)


class ScriptedHttp:
    """Whatever is asked, the bytes of `answer` come."""

    def __init__(self) -> None:
        self.port = 0
        self.answer: Sequence[Deed] = ()
        self.changes = Changes()
        self._handlers = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Serve."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone, once nobody is connected any more."""
        if self._server:
            await _no_more(self._server)
        await self.changes.until(lambda: not self._handlers, "the end of all connections")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._handlers += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            await play(self.answer, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            await _closed(writer)
            self._handlers -= 1
            self.changes.tell()


async def _no_more(server: asyncio.Server) -> None:
    """Take no further connection; those that were accepted a moment ago have their handlers afterwards."""
    server.close()
    for _ in range(5):
        await asyncio.sleep(0)


async def play(deeds: Sequence[Deed], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the end of the script, or of the connection."""
    for deed in deeds:
        match deed:
            case bytes():
                writer.write(deed)
                await writer.drain()
            case Stall():
                while await reader.read(65_536):
                    pass
            case Reset() | Status():
                _reset(writer)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST, not FIN."""
    if (raw := writer.get_extra_info("socket")) is not None:
        with suppress(OSError):
            raw.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
