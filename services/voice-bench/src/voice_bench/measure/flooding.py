"""What does a peer do that means harm? One kind of flood, as a program of its own, as fast as it goes.

    python -m voice_bench.measure.flooding KIND GRPC_TARGET HTTP_PORT SECONDS TOKEN

Prints, as JSON, how often each thing happened. TOKEN is used by the kinds that a known caller does.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from enum import Enum
from typing import Any

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb

_CONVERSE = "/voice_workflow.v1.VoiceGateway/Converse"
_INFO = "/voice_workflow.v1.VoiceGateway/GetServerInfo"
_WATCH = "/grpc.health.v1.Health/Watch"
_CHECK = "/grpc.health.v1.Health/Check"
_STREAMS = 20_000
_CONNECTIONS = 100
_BIG = bytes(3_900_000)
_HOLD_S = 1.0
_WRITE_S = 2.0
_BROKEN = (grpc.RpcError, grpc.aio.BaseError, OSError, asyncio.InvalidStateError)
"""What a peer that floods gets to see."""


class Flood(Enum):
    """The first half is done without a token, the second half by a known caller."""

    BIG_FIRST = "big-first"
    IDLE_STREAMS = "idle-streams"
    WATCHES = "watches"
    CHECKS = "checks"
    GUESSES = "guesses"
    GARBAGE = "garbage"
    CONNECTIONS = "connections"
    HTTP = "http"
    WAITING = "waiting"
    METADATA = "metadata"
    TYPING = "typing"
    UPDATES = "updates"
    ORDERS = "orders"
    AUDIO = "audio"
    RESUMES = "resumes"


class Peer:
    """Where to, until when, and what happened."""

    def __init__(self, target: str, http_port: int, seconds: float, token: str) -> None:
        self.target = target
        self.http_port = http_port
        self.token = (("authorization", f"Bearer {token}"),)
        self.counts: Counter[str] = Counter()
        self._until = time.monotonic() + seconds

    @property
    def goes_on(self) -> bool:
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

    async def times(self, count: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`work`, again and again, `count` at once."""

        async def repeated() -> None:
            while self.goes_on:
                try:
                    await work()
                    self.counts["rounds"] += 1
                except _BROKEN as error:
                    code = error.code().name if isinstance(error, grpc.aio.AioRpcError) else type(error).__name__
                    self.counts[code] += 1
                    await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(repeated())


async def _big_first(peer: Peer) -> None:
    async def one() -> None:
        async with peer.channel() as channel:
            streams = [peer.stream(channel, _CONVERSE) for _ in range(3)]
            await asyncio.gather(*(_write(stream, _BIG) for stream in streams))
            await asyncio.gather(*(stream.code() for stream in streams))

    await peer.times(_CONNECTIONS, one)


async def _write(stream: Any, data: bytes) -> None:
    with suppress(*_BROKEN):
        async with asyncio.timeout(_WRITE_S):
            await stream.write(data)


def _many_streams(
    method: str, first: bytes | None, *, known: bool = False
) -> Callable[[Peer], Coroutine[Any, Any, None]]:
    async def flood(peer: Peer) -> None:
        async def one() -> None:
            async with peer.channel() as channel:
                streams = [peer.stream(channel, method, known=known) for _ in range(_STREAMS)]
                if first is not None:
                    await asyncio.gather(*(_write(stream, first) for stream in streams[:500]))
                peer.counts["streams"] += len(streams)
                await asyncio.sleep(peer.left_s)
                peer.counts["ended"] += sum(stream.done() for stream in streams)

        await peer.times(1, one)

    return flood


def _short(method: str, message: bytes, *, known: bool = False) -> Callable[[Peer], Coroutine[Any, Any, None]]:
    async def flood(peer: Peer) -> None:
        async with peer.channel() as channel:

            async def one() -> None:
                stream = peer.stream(channel, method, known=known)
                await _write(stream, message)
                peer.counts[(await stream.code()).name] += 1

            await peer.times(200, one)

    return flood


async def _connections(peer: Peer) -> None:
    async def one() -> None:
        host, _, port = peer.target.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        await asyncio.sleep(_HOLD_S)
        writer.close()

    await peer.times(3_000, one)


async def _http(peer: Peer) -> None:
    async def one() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", peer.http_port)
        for _ in range(20):
            writer.write(b"GET /metrics HTTP/1.1\r\nX-Filler: " + b"x" * 7_000)
            await asyncio.sleep(_HOLD_S / 20)
        writer.close()

    await peer.times(1_000, one)


def _in_call(messages: Callable[[int], pb.ClientMessage], per_s: float) -> Callable[[Peer], Coroutine[Any, Any, None]]:
    """One known caller's call, so many messages a second in it."""

    async def flood(peer: Peer) -> None:
        async def one() -> None:
            async with peer.channel() as channel:
                call: Any = channel.stream_stream(
                    _CONVERSE,
                    request_serializer=pb.ClientMessage.SerializeToString,
                    response_deserializer=pb.ServerMessage.FromString,
                )(metadata=peer.token)
                await call.write(pb.ClientMessage(start=pb.SessionStart()))
                reading = asyncio.create_task(_count(peer, call))
                try:
                    number = 0
                    while peer.goes_on and not reading.done():
                        number += 1
                        await call.write(messages(number))
                        peer.counts["sent"] += 1
                        await asyncio.sleep(1 / per_s)
                finally:
                    reading.cancel()
                    call.cancel()

        await peer.times(1, one)

    return flood


async def _count(peer: Peer, call: Any) -> None:
    async for message in call:
        peer.counts[str(message.WhichOneof("message"))] += 1


async def _metadata(peer: Peer) -> None:
    filler = {f"key {n}": "x" * 120_000 for n in range(31)}
    start = pb.ClientMessage(start=pb.SessionStart(metadata=filler)).SerializeToString()

    async def one() -> None:
        async with peer.channel() as channel:
            stream = peer.stream(channel, _CONVERSE, known=True)
            await _write(stream, start)
            peer.counts[(await stream.code()).name] += 1

    await peer.times(55, one)


async def _resumes(peer: Peer) -> None:
    start = pb.SessionStart()

    async def one() -> None:
        async with peer.channel() as channel:
            multi: Any = channel.stream_stream(
                _CONVERSE,
                request_serializer=pb.ClientMessage.SerializeToString,
                response_deserializer=pb.ServerMessage.FromString,
            )
            call = multi(metadata=peer.token)
            await call.write(pb.ClientMessage(seq=1, start=start))
            token = (await call.read()).started.resume_token
            again = pb.ClientMessage(seq=1, start=pb.SessionStart(resume=pb.Resume(token=token)))
            while peer.goes_on:
                calls = [multi(metadata=peer.token) for _ in range(10)]
                for rival in calls:
                    await rival.write(again)
                await asyncio.sleep(0.05)
                peer.counts["resumes"] += len(calls)

    await peer.times(1, one)


_ORDERS = (
    pb.ClientMessage(interrupt=pb.Interrupt()),
    pb.ClientMessage(commit=pb.CommitTurn()),
    pb.ClientMessage(playout=pb.PlayoutReport(reply=1, samples_played=2**64 - 1)),
    pb.ClientMessage(),
)
_FLOODS: dict[Flood, Callable[[Peer], Coroutine[Any, Any, None]]] = {
    Flood.BIG_FIRST: _big_first,
    Flood.IDLE_STREAMS: _many_streams(_CONVERSE, None),
    Flood.WATCHES: _many_streams(_WATCH, b""),
    Flood.CHECKS: _many_streams(_CHECK, None),
    Flood.GUESSES: _short(_CONVERSE, b""),
    Flood.GARBAGE: _short(_INFO, b"\xff" * 1_000),
    Flood.CONNECTIONS: _connections,
    Flood.HTTP: _http,
    Flood.WAITING: _many_streams(_CONVERSE, None, known=True),
    Flood.METADATA: _metadata,
    Flood.TYPING: _in_call(lambda n: pb.ClientMessage(text=pb.Text(text=f"{n} " + "word " * 3_200)), 100),
    Flood.UPDATES: _in_call(
        lambda n: pb.ClientMessage(update=pb.SessionUpdate(system_prompt=f"{n} " + "x" * 16_000)), 5_000
    ),
    Flood.ORDERS: _in_call(lambda n: _ORDERS[n % len(_ORDERS)], 20_000),
    Flood.AUDIO: _in_call(lambda n: pb.ClientMessage(audio=pb.Audio(data=bytes(32_000), first_sample=1)), 5_000),
    Flood.RESUMES: _resumes,
}


def main() -> None:
    """Flood, then tell."""
    kind, target, http_port, seconds, token = sys.argv[1:]
    os.nice(10)  # callers and simulators share its core: the gateway is what is flooded
    peer = Peer(target, int(http_port), float(seconds), token)
    with suppress(BaseExceptionGroup, TimeoutError):
        asyncio.run(asyncio.wait_for(_FLOODS[Flood(kind)](peer), float(seconds) + _WRITE_S))
    sys.stdout.write(json.dumps(dict(peer.counts)) + "\n")


if __name__ == "__main__":
    main()
