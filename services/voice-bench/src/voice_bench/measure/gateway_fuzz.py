"""Does anything that a client sends break the gateway? Malformed and out-of-order messages over every wire, while a
neighbour is in a call of its own.

Each connection sends some hundred messages and reads what comes; a tenth of them vanish without a word. At the end no
session, no task and no memory may be left, and the gateway's log may hold no traceback.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TypeAlias

import aiohttp
import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_bench.measure import malformed_events
from voice_bench.measure.caller import Caller, CallFailed
from voice_bench.measure.clips import Frames
from voice_bench.measure.gateway_process import GatewayInternals, GatewayProcess, Kind, gateway
from voice_bench.measure.overhead import Edge, called, hear_out, warm_up
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.verdict import at_most, none_of
from voice_bench.stack import Stack

AT_ONCE = 8
A_CONNECTION = 400
"""Messages: fewer than may come at once, so that the gateway reads on without a pause."""
A_TRANSCRIPTION = 20
"""Messages: a stream of the transcription WebSocket ends with the first bad one."""
VANISH_PART = 0.1
SETTLE_S = 4.0
_ENDS_WITHIN_S = 20.0
_PROTOCOL = "voice_workflow.v1.proto"
"""What messages of the contract are serialised as; a Realtime session has no use for it."""
_INTERNAL = 4013
"""Close code of voice_workflow.v1 where the gateway failed."""
_CONVERSE = "/voice_workflow.v1.VoiceGateway/Converse"
MB_PER_1000 = 0.1
NOISE_MB = 16.0


class Wire(Enum):
    """Where messages are sent."""

    REALTIME = "Realtime"
    CONVERSE_WS = "voice_workflow.v1 over WebSocket"
    TRANSCRIBE = "transcription"
    GRPC = "gRPC"


@dataclass(slots=True)
class FuzzResult:  # size: the record of one run
    """What the messages met."""

    sent: Counter[str] = field(default_factory=Counter)
    """Messages, by wire."""
    ends: Counter[str] = field(default_factory=Counter)
    """How connections ended, by wire and code."""
    hung: list[str] = field(default_factory=list)
    """Connections that did not end when we hung up."""
    broken: list[str] = field(default_factory=list)
    """What said that the gateway failed."""
    neighbour_turns: int = 0
    neighbour: list[str] = field(default_factory=list)
    """What went wrong in the neighbour's calls."""
    memory_mb: list[float] = field(default_factory=list)
    """At the start, half-way, and after all."""
    inside: tuple[GatewayInternals, ...] = ()
    sessions: float = 0.0
    tracebacks: int = 0
    seconds: float = 0.0


_Work: TypeAlias = Callable[[GatewayProcess, random.Random, int, FuzzResult], Awaitable[None]]


async def fuzz(stack: Stack, messages: int, clips: Sequence[Frames], seed: int) -> FuzzResult:
    """So many messages in all, as many over each wire."""
    result = FuzzResult()
    settings = {"GATEWAY_RESUME_GRACE_S": "1", "GATEWAY_START_TIMEOUT_S": "2"}
    async with gateway(stack, Kind.OURS, settings) as tested:
        await warm_up(tested, clips)
        await asyncio.sleep(SETTLE_S)
        result.inside, result.memory_mb = (await tested.internals(),), [tested.rss_mb()]
        began = time.monotonic()
        for half in range(2):
            over = asyncio.Event()
            neighbour = asyncio.create_task(_neighbour(tested, clips, over, result), name="neighbour")
            for wire, work in _WORKS.items():
                share = messages // (2 * len(_WORKS))
                await _over(tested, wire, work, share, f"{seed} {half}", result)
            over.set()
            await neighbour
            result.memory_mb.append(tested.rss_mb())
        result.seconds = time.monotonic() - began
        await asyncio.sleep(SETTLE_S)
        result.memory_mb.append(tested.rss_mb())
        result.inside += (await tested.internals(),)
        result.sessions = await _sessions(tested)
        result.tracebacks = tested.log().count("Traceback")
    return result


async def _over(tested: GatewayProcess, wire: Wire, work: _Work, messages: int, seed: str, result: FuzzResult) -> None:
    """So many messages over one wire, by connections of which some are open at the same time."""
    result.sent[wire.value] += messages
    left = [min(A_CONNECTION, messages - first) for first in range(0, messages, A_CONNECTION)]

    async def worker(number: int) -> None:
        rng = random.Random(f"{seed} {wire.value} {number}")
        while left:
            try:
                async with asyncio.timeout(_ENDS_WITHIN_S):
                    await work(tested, rng, left.pop(), result)
            except TimeoutError:
                result.hung.append(f"{wire.value}: a connection did not end within {_ENDS_WITHIN_S:g} s")

    async with asyncio.TaskGroup() as workers:
        for number in range(AT_ONCE):
            workers.create_task(worker(number), name=f"fuzz {number}")


async def _realtime(tested: GatewayProcess, rng: random.Random, count: int, result: FuzzResult) -> None:
    messages = (malformed_events.realtime_event(rng) for _ in range(count))
    query = rng.choice(("", "?model=gpt-realtime", "?intent=transcription"))
    await _websocket(f"{tested.web_url}/v1/realtime{query}", messages, rng, Wire.REALTIME, result)


async def _converse_ws(tested: GatewayProcess, rng: random.Random, count: int, result: FuzzResult) -> None:
    start = pb.ClientMessage(start=pb.SessionStart()).SerializeToString()
    messages = (start if n == 0 else malformed_events.contract_message(rng) for n in range(count))
    await _websocket(f"{tested.web_url}/v1/converse", messages, rng, Wire.CONVERSE_WS, result)


async def _transcribe(tested: GatewayProcess, rng: random.Random, count: int, result: FuzzResult) -> None:
    query = "?sample_rate=16000&interim_ms=100"
    for first in range(0, count, A_TRANSCRIPTION):
        messages = (malformed_events.transcription_message(rng) for _ in range(min(A_TRANSCRIPTION, count - first)))
        try:
            await _websocket(f"{tested.web_url}/v1/transcribe{query}", messages, rng, Wire.TRANSCRIBE, result)
        except aiohttp.WSServerHandshakeError as refused:
            result.ends[f"{Wire.TRANSCRIBE.value} not begun, HTTP {refused.status}"] += 1


async def _websocket(
    url: str, messages: Iterable[str | bytes], rng: random.Random, wire: Wire, result: FuzzResult
) -> None:
    """Send until the gateway closes or all are sent; read all the time."""
    async with aiohttp.ClientSession() as http, http.ws_connect(url, compress=0, protocols=(_PROTOCOL,)) as socket:

        async def read() -> None:
            async for message in socket:
                if isinstance(message.data, str) and '"the gateway failed' in message.data:
                    result.broken.append(f"{wire.value}: {message.data[:200]}")

        reader = asyncio.create_task(read(), name="fuzz reader")
        try:
            for message in messages:
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)
        except (ConnectionError, aiohttp.ClientError):
            pass
        if rng.random() < VANISH_PART:
            reader.cancel()
            await http.close()
        else:
            await socket.close()
        await asyncio.wait([reader])
        if socket.close_code == _INTERNAL:
            result.broken.append(f"{wire.value}: closed with {_INTERNAL}")
        result.ends[f"{wire.value} {socket.close_code}"] += 1


async def _grpc(tested: GatewayProcess, rng: random.Random, count: int, result: FuzzResult) -> None:
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.insecure_channel(tested.target, options=options) as channel:
        call = channel.stream_stream(_CONVERSE)()  # type: ignore[var-annotated]  # bytes both ways
        code = grpc.StatusCode.OK
        try:
            await call.write(pb.ClientMessage(start=pb.SessionStart()).SerializeToString())
            reader = asyncio.create_task(_drain(call), name="fuzz reader")
            for _ in range(count):
                await call.write(malformed_events.contract_message(rng))
            if rng.random() < VANISH_PART:
                call.cancel()
            else:
                await call.done_writing()
            await asyncio.wait([reader])
            code = await call.code()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            code = await call.code()
        if code in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL):
            result.broken.append(f"gRPC: {code.name} {await call.details()}")
        result.ends[f"gRPC {code.name}"] += 1


async def _drain(call: object) -> None:
    try:
        async for _ in call:  # type: ignore[attr-defined]  # bytes
            pass
    except (grpc.aio.AioRpcError, asyncio.CancelledError):
        pass


_WORKS: dict[Wire, _Work] = {
    Wire.REALTIME: _realtime,
    Wire.CONVERSE_WS: _converse_ws,
    Wire.TRANSCRIBE: _transcribe,
    Wire.GRPC: _grpc,
}


async def _neighbour(tested: GatewayProcess, clips: Sequence[Frames], over: asyncio.Event, result: FuzzResult) -> None:
    """Calls of two turns each, one after the other, until all is sent; one at least."""
    rng = random.Random(0)
    while not (over.is_set() and (result.neighbour_turns or result.neighbour)):
        try:
            async with called(tested, Edge.GRPC) as caller:
                for _ in range(2):
                    before = max(caller.record.replies, default=0)
                    await caller.speak(rng.choice(clips))
                    await caller.until(partial(_has_reply_after, caller, before), 15, "a reply")
                    await hear_out(caller, caller.record.replies[max(caller.record.replies)], rng)
                    result.neighbour_turns += 1
        except CallFailed as failed:
            result.neighbour.append(str(failed))


def _has_reply_after(caller: Caller, n: int) -> bool:
    return max(caller.record.replies, default=0) > n


async def _sessions(tested: GatewayProcess) -> float:
    async with aiohttp.ClientSession() as http, http.get(f"{tested.http_url}/metrics") as page:
        lines = (await page.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("voice_sessions_active "))


def report(result: FuzzResult) -> Report:
    """Everything, with its verdicts."""
    before, after = result.inside
    tasks = after.new_tasks(before)
    total = sum(result.sent.values())
    grown_mb = result.memory_mb[-1] - result.memory_mb[1]
    allowed_mb = NOISE_MB + MB_PER_1000 * total / 2000
    return Report(
        f"{total} malformed and out-of-order messages in {result.seconds:.0f} s",
        (
            Rows("messages", ("wire", "count"), tuple(sorted(result.sent.items()))),
            Rows("how connections ended", ("wire and code", "count"), tuple(sorted(result.ends.items()))),
            Rows("memory", ("start MB", "half MB", "all MB", "after MB"), (tuple(result.memory_mb),)),
        ),
        (
            none_of("connections that did not end", len(result.hung)),
            none_of("answers that say the gateway failed", len(result.broken)),
            none_of("tracebacks in its log", result.tracebacks),
            none_of("sessions left", round(result.sessions)),
            none_of("tasks left", sum(tasks.values())),
            at_most("memory grown over the second half", max(0.0, grown_mb), allowed_mb, "MB"),
            at_most("files left", max(0, after.files - before.files), 10, ""),
            none_of("neighbour's calls that failed", len(result.neighbour)),
            none_of("halves without a turn of the neighbour", int(not result.neighbour_turns)),
        ),
        (
            f"turns of the neighbour meanwhile: {result.neighbour_turns}",
            *result.hung[:5],
            *result.broken[:5],
            *result.neighbour[:3],
            *(f"left: {name}" for name in list(tasks)[:5]),
        ),
    )
