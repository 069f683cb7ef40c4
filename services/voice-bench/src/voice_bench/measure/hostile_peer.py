"""What does a hostile peer do to any server? Where it connects, until when, and floods that every server may meet.

A flood is a coroutine function of a HostilePeer; `run` makes a program of one.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import grpc

BROKEN = (grpc.RpcError, grpc.aio.BaseError, OSError, asyncio.InvalidStateError)
"""What a peer that floods gets to see."""
_HOLD_S = 1.0
_WRITE_S = 2.0
_STREAMS = 20_000


class HostilePeer:
    """Where to, until when, and what happened."""

    def __init__(self, target: str, http_port: int, seconds: float, token: str) -> None:
        self.target = target
        self.http_port = http_port
        self.token = (("authorization", f"Bearer {token}"),)
        self.counts: Counter[str] = Counter()
        self._until = time.monotonic() + seconds

    @property
    def has_time(self) -> bool:
        """Whether the time is not over."""
        return time.monotonic() < self._until

    @property
    def left_s(self) -> float:
        """Seconds until it is."""
        return max(0.0, self._until - time.monotonic())

    def channel(self) -> grpc.aio.Channel:
        """A connection of its own."""
        options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1))
        return grpc.aio.insecure_channel(self.target, options=options)

    def stream(self, channel: Any, method: str, *, known: bool = False) -> Any:
        """Nothing of it is encoded: messages are bytes."""
        return channel.stream_stream(method)(metadata=self.token if known else None)

    async def short_stream(self, channel: Any, method: str, message: bytes, *, known: bool = False) -> None:
        """A stream of one message; its status is counted."""
        stream = self.stream(channel, method, known=known)
        await write(stream, message)
        self.counts[await end(stream)] += 1

    async def times(self, count: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`work`, again and again, `count` at once."""

        async def repeated() -> None:
            while self.has_time:
                try:
                    await work()
                    self.counts["rounds"] += 1
                except BROKEN as error:
                    code = error.code().name if isinstance(error, grpc.aio.AioRpcError) else type(error).__name__
                    self.counts[code] += 1
                    await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(repeated())


Attack = Callable[[HostilePeer], Coroutine[Any, Any, None]]


async def write(stream: Any, data: bytes) -> None:
    """Write, or give up."""
    with suppress(*BROKEN):
        async with asyncio.timeout(_WRITE_S):
            await stream.write(data)


async def end(stream: Any) -> str:
    """The name of the status a stream ends with; it comes only once everything before it was read."""
    with suppress(*BROKEN):
        while await stream.read() is not grpc.aio.EOF:
            pass
    code: grpc.StatusCode = await stream.code()
    return code.name


def many_streams(method: str, first: bytes | None, *, known: bool = False) -> Attack:
    """So many streams on one connection as can be opened, for the whole time; the first 500 send `first`."""

    async def flood(peer: HostilePeer) -> None:
        async def one() -> None:
            async with peer.channel() as channel:
                streams = [peer.stream(channel, method, known=known) for _ in range(_STREAMS)]
                if first is not None:
                    await asyncio.gather(*(write(stream, first) for stream in streams[:500]))
                peer.counts["streams"] += len(streams)
                await asyncio.sleep(peer.left_s)
                peer.counts["ended"] += sum(stream.done() for stream in streams)

        await peer.times(1, one)

    return flood


def big_messages(method: str, message: bytes, at_once: int) -> Attack:
    """Three streams a connection, each of which sends one message and ends."""

    async def flood(peer: HostilePeer) -> None:
        async def one() -> None:
            async with peer.channel() as channel:
                streams = [peer.stream(channel, method) for _ in range(3)]
                await asyncio.gather(*(write(stream, message) for stream in streams))
                await asyncio.gather(*(end(stream) for stream in streams))

        await peer.times(at_once, one)

    return flood


async def connections(peer: HostilePeer) -> None:
    """Connections that begin HTTP/2 and say nothing."""

    async def one() -> None:
        host, _, port = peer.target.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        await asyncio.sleep(_HOLD_S)
        writer.close()

    await peer.times(3_000, one)


async def http_headers(peer: HostilePeer) -> None:
    """HTTP requests whose headers never end."""

    async def one() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", peer.http_port)
        for _ in range(20):
            writer.write(b"GET /metrics HTTP/1.1\r\nX-Filler: " + b"x" * 7_000)
            await asyncio.sleep(_HOLD_S / 20)
        writer.close()

    await peer.times(1_000, one)


def run(flood: Attack, peer: HostilePeer) -> None:
    """Flood until the peer's time is over, then tell."""
    os.nice(10)  # callers and simulators share its core: the server is what is flooded
    with suppress(BaseExceptionGroup, TimeoutError):
        asyncio.run(asyncio.wait_for(flood(peer), peer.left_s + _WRITE_S))
    sys.stdout.write(json.dumps(dict(peer.counts)) + "\n")
