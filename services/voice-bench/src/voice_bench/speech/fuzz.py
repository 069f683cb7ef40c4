"""Does anything break the server? Many broken requests over gRPC, HTTP and WebSocket; each must be answered."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import grpc
import psutil

from voice_bench.speech import malformed_requests
from voice_bench.speech.process_stats import ProcessStats, process_stats, stats_when_idle, taken_slots
from voice_bench.speech.server import SpeechServer

WITHIN_S = 20.0
AT_ONCE = 16
ROUNDS = 20
EVENTS_A_SESSION = 20
_LATE_WRITE = "Internal error from Core"
"""What our own side says when it still writes to a call that has been answered."""


@dataclass(slots=True)
class FuzzOutcome:
    """What the requests met, and what the server held on the way."""

    statuses: Counter[str] = field(default_factory=Counter)
    unanswered: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Answers that say the server failed: INTERNAL with our sentence, 500."""
    held: list[ProcessStats] = field(default_factory=list)
    """Before the first request, and after each round."""
    left: ProcessStats | None = None
    """When all of our connections were closed."""
    slots_left: float = 0.0
    """Places for requests that were still taken then, by the server's own count."""
    is_ready: bool = False


async def fuzz(server: SpeechServer, requests: int, seed: int) -> FuzzOutcome:
    """Send so many. Half are gRPC calls, a twentieth realtime messages, the rest HTTP."""
    outcome = FuzzOutcome()
    process = server.process()
    assert server.http_url is not None
    outcome.held.append(process_stats(process, 0))
    limit = aiohttp.TCPConnector(limit=AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=WITHIN_S)
    async with (
        grpc.aio.insecure_channel(server.target) as channel,
        aiohttp.ClientSession(server.http_url, connector=limit, timeout=timeout) as session,
    ):
        done = 0
        for turn in range(ROUNDS):
            async with asyncio.TaskGroup() as tasks:
                for worker in range(AT_ONCE):
                    share = _share(requests, ROUNDS, turn * AT_ONCE + worker)
                    rng = random.Random(f"{seed} {turn} {worker}")
                    tasks.create_task(_work(channel, session, rng, share, outcome), name=f"fuzz {worker}")
                    done += share
            outcome.held.append(process_stats(process, done))
    outcome.left = await stats_when_idle(process, done)
    async with aiohttp.ClientSession(server.http_url, timeout=timeout) as session:
        outcome.slots_left = await taken_slots(session)
        async with session.get("/readyz") as got:
            outcome.is_ready = got.status == 200 and process.status() != psutil.STATUS_ZOMBIE
    return outcome


def _share(requests: int, rounds: int, worker: int) -> int:
    each, rest = divmod(requests, rounds * AT_ONCE)
    return each + (worker < rest)


async def _work(
    channel: grpc.aio.Channel, session: aiohttp.ClientSession, rng: random.Random, share: int, outcome: FuzzOutcome
) -> None:
    done = 0
    while done < share:
        kind = rng.random()
        if kind < 0.5:
            await _call(channel, malformed_requests.rpc(rng), outcome)
            done += 1
        elif kind < 0.9975:
            await _post(session, malformed_requests.http(rng), outcome)
            done += 1
        else:
            done += await _converse(session, rng, min(EVENTS_A_SESSION, share - done), outcome)


async def _call(channel: grpc.aio.Channel, rpc: malformed_requests.Rpc, outcome: FuzzOutcome) -> None:
    path, streams, messages = rpc
    code, details = grpc.StatusCode.OK, ""
    try:
        async with asyncio.timeout(WITHIN_S):
            if streams:
                call: Any = channel.stream_stream(path)
                async for _ in call(_each(messages)):
                    pass
            else:
                unary: Any = channel.unary_unary(path)
                await unary(messages[0])
    except grpc.aio.AioRpcError as error:
        code, details = error.code(), error.details() or ""
    except TimeoutError:
        outcome.unanswered.append(path)
        return
    outcome.statuses[f"grpc {code.name}"] += 1
    if code in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL) and details != _LATE_WRITE:
        outcome.broken.append(f"{path}: {code.name} {details}")


async def _each(messages: list[bytes]) -> AsyncIterator[bytes]:
    for message in messages:
        yield message


async def _post(session: aiohttp.ClientSession, request: malformed_requests.Http, outcome: FuzzOutcome) -> None:
    method, path, headers, body = request
    try:
        async with session.request(method, path, headers=headers, data=body) as got:
            await got.read()
            status = got.status
    except (aiohttp.ClientError, TimeoutError) as error:
        outcome.unanswered.append(f"{method} {path}: {error!r}")
        return
    outcome.statuses[f"http {status}"] += 1
    if status == 500:
        outcome.broken.append(f"{method} {path}: {status}")


async def _converse(session: aiohttp.ClientSession, rng: random.Random, events: int, outcome: FuzzOutcome) -> int:
    """One realtime session; a bad event must bring an error event, and the end must come when we close."""
    try:
        async with asyncio.timeout(WITHIN_S), session.ws_connect("/v1/realtime?intent=transcription") as socket:
            for _ in range(events):
                await socket.send_str(malformed_requests.event(rng))
            await socket.send_str('{"type": "session.update"}')
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                content = message.json()
                if content["type"] == "error":
                    outcome.statuses["realtime error"] += 1
                    if content["error"]["type"] == "server_error":
                        outcome.broken.append(f"realtime: {content['error']['message']}")
                    if "session is missing" in content["error"]["message"]:
                        break
                else:
                    outcome.statuses["realtime event"] += 1
    except (aiohttp.ClientError, TimeoutError) as error:
        outcome.unanswered.append(f"realtime: {error!r}")
    return events
