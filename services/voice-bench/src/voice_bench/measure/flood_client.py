"""What does a peer do that means harm? One kind of flood, as a program of its own, as fast as it goes.

    python -m voice_bench.measure.flood_client KIND GRPC_TARGET HTTP_PORT SECONDS TOKEN

Prints, as JSON, how often each thing happened. TOKEN is used by the kinds that a known caller does.
"""

import asyncio
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1.voice_workflow_pb2_grpc import VoiceGatewayStub

from voice_bench.measure import hostile_peer
from voice_bench.measure.hostile_peer import Attack, HostilePeer, many_streams

_CONVERSE = "/voice_workflow.v1.VoiceGateway/Converse"
_INFO = "/voice_workflow.v1.VoiceGateway/GetServerInfo"
_WATCH = "/grpc.health.v1.Health/Watch"
_CHECK = "/grpc.health.v1.Health/Check"


class GatewayFlood(Enum):
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


def _short(method: str, message: bytes) -> Attack:
    async def flood(peer: HostilePeer) -> None:
        async with peer.channel() as channel:

            async def one() -> None:
                await peer.short_stream(channel, method, message)

            await peer.times(200, one)

    return flood


def _in_call(messages: Callable[[int], pb.ClientMessage], per_s: float) -> Attack:
    """One known caller's call, so many messages a second in it."""

    async def flood(peer: HostilePeer) -> None:
        async def one() -> None:
            async with peer.channel() as channel:
                call = VoiceGatewayStub(channel).Converse(metadata=peer.token)
                await call.write(pb.ClientMessage(start=pb.SessionStart()))
                reading = asyncio.create_task(_count(peer, call))
                try:
                    number = 0
                    while peer.has_time and not reading.done():
                        number += 1
                        await call.write(messages(number))
                        peer.counts["sent"] += 1
                        await asyncio.sleep(1 / per_s)
                finally:
                    reading.cancel()
                    call.cancel()

        await peer.times(1, one)

    return flood


async def _count(peer: HostilePeer, call: Any) -> None:
    async for message in call:
        peer.counts[str(message.WhichOneof("message"))] += 1


async def _metadata(peer: HostilePeer) -> None:
    filler = {f"key {n}": "x" * 120_000 for n in range(31)}
    start = pb.ClientMessage(start=pb.SessionStart(metadata=filler)).SerializeToString()

    async def one() -> None:
        async with peer.channel() as channel:
            await peer.short_stream(channel, _CONVERSE, start, known=True)

    await peer.times(55, one)


async def _resumes(peer: HostilePeer) -> None:
    async def one() -> None:
        async with peer.channel() as channel:
            gateway = VoiceGatewayStub(channel)
            call: Any = gateway.Converse(metadata=peer.token)
            await call.write(pb.ClientMessage(seq=1, start=pb.SessionStart()))
            token = (await call.read()).started.resume_token
            again = pb.ClientMessage(seq=1, start=pb.SessionStart(resume=pb.Resume(token=token)))
            while peer.has_time:
                calls = [gateway.Converse(metadata=peer.token) for _ in range(10)]
                for rival in calls:
                    await rival.write(again)
                await asyncio.sleep(0.05)
                peer.counts["resumes"] += len(calls)
                for rival in calls:
                    rival.cancel()

    await peer.times(1, one)


_ORDERS = (
    pb.ClientMessage(interrupt=pb.Interrupt()),
    pb.ClientMessage(commit=pb.CommitTurn()),
    pb.ClientMessage(playout=pb.PlayoutReport(reply=1, samples_played=2**64 - 1)),
    pb.ClientMessage(),
)
_FLOODS: dict[GatewayFlood, Attack] = {
    GatewayFlood.BIG_FIRST: hostile_peer.big_messages(_CONVERSE, bytes(3_900_000), 100),
    GatewayFlood.IDLE_STREAMS: many_streams(_CONVERSE, None),
    GatewayFlood.WATCHES: many_streams(_WATCH, b""),
    GatewayFlood.CHECKS: many_streams(_CHECK, None),
    GatewayFlood.GUESSES: _short(_CONVERSE, b""),
    GatewayFlood.GARBAGE: _short(_INFO, b"\xff" * 1_000),
    GatewayFlood.CONNECTIONS: hostile_peer.connections,
    GatewayFlood.HTTP: hostile_peer.http_headers,
    GatewayFlood.WAITING: many_streams(_CONVERSE, None, known=True),
    GatewayFlood.METADATA: _metadata,
    GatewayFlood.TYPING: _in_call(lambda n: pb.ClientMessage(text=pb.Text(text=f"{n} " + "word " * 3_200)), 100),
    GatewayFlood.UPDATES: _in_call(
        lambda n: pb.ClientMessage(update=pb.SessionUpdate(system_prompt=f"{n} " + "x" * 16_000)), 5_000
    ),
    GatewayFlood.ORDERS: _in_call(lambda n: _ORDERS[n % len(_ORDERS)], 20_000),
    GatewayFlood.AUDIO: _in_call(lambda n: pb.ClientMessage(audio=pb.Audio(data=bytes(32_000), first_sample=1)), 5_000),
    GatewayFlood.RESUMES: _resumes,
}


def main() -> None:
    """Flood, then tell."""
    kind, target, http_port, seconds, token = sys.argv[1:]
    hostile_peer.run(_FLOODS[GatewayFlood(kind)], HostilePeer(target, int(http_port), float(seconds), token))


if __name__ == "__main__":
    main()
