"""How much time and processor does the gateway add to a turn? Measured at its callers, against known backends.

Voice-to-voice is last speech frame sent -> first reply audio received; the simulators' own path of that very turn is
taken off, and what is left was added. The same callers also measure the baseline gateway on the same wire.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_bench.measure import expected_latency
from voice_bench.measure.call_log import ReplyLog
from voice_bench.measure.caller import Caller, CallFailed, calling, channel_to
from voice_bench.measure.clips import RATE_HZ, Frames
from voice_bench.measure.gateway_process import GatewayProcess, Kind, Sample, gateway, timestamps
from voice_bench.measure.realtime_caller import WIRE_RATE_HZ, realtime_calling
from voice_bench.stack import Stack
from voice_bench.stack_config import StackConfig, scripted

SILENCE_S = 0.2
REPLY = "Thank you I have heard {last} now. Please go on."
"""Ten tokens are the first sentence: 90 ms after the first of them it is complete."""
INTERRUPTED_PART = 1 / 3


class Edge(Enum):
    """The wire of the callers."""

    GRPC = "gRPC"
    GRPC_24_KHZ = "gRPC at 24 kHz"
    """What Realtime is compared with: its audio is at 24 kHz, which the gateway resamples."""
    REALTIME = "Realtime"


@dataclass(frozen=True, slots=True)
class MeasuredTurn:
    """One turn at its caller."""

    tag: str
    last_sent_at: float
    first_audio_at: float
    over_a_reply: bool
    """It was spoken over the reply before."""
    decided_at: float
    """When the caller was told that it is over."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one load of callers found."""

    kind: Kind
    callers: int
    turns: int
    unmatched: int
    added_ms: tuple[float, ...]
    added_over_reply_ms: tuple[float, ...]
    cpu_percent: float | None
    """Of one core, per call."""
    held: Sample | None
    """When the first call was done."""
    first_turn_ms: float | None = None
    """Added to the first turn of the process, which is in none of the other numbers."""
    failures: tuple[str, ...] = ()
    edge: Edge = Edge.GRPC


@dataclass(slots=True)
class _Window:
    """From all callers connected until the first one is done: the time in which every call was live."""

    begun: tuple[float, float] | None = None
    ended: tuple[float, float] | None = None
    held: Sample | None = None
    ready: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def percent(self, callers: int) -> float | None:
        """CPU of one core, per call."""
        if self.begun is None or self.ended is None or self.ended[0] <= self.begun[0]:
            return None
        return 100 * (self.ended[1] - self.begun[1]) / (self.ended[0] - self.begun[0]) / callers


def simulated() -> StackConfig:
    """The programmed path: 20 ms after 200 ms of silence, 150 ms + 10 ms a token, 80 ms."""
    return with_one_rate(scripted(silence_ms=round(SILENCE_S * 1000), reply=REPLY))


def with_one_rate(config: StackConfig) -> StackConfig:
    """The tone voice speaks at the rate the gateway asks for: its resampler is not what is measured."""
    return replace(
        config,
        speech={**config.speech, "TONE_RATE_HZ": "16000", "SPEECH_MAX_STREAMS": "500", "SPEECH_MAX_SYNTHESES": "500"},
        # The gateway must know when its recogniser says final: around that moment it sends audio frame by frame.
        gateway={
            **config.gateway,
            "TTS_SAMPLE_RATE": "16000",
            "ASR_STOP_HISTORY_MS": config.speech["SCRIPT_STOP_HISTORY_MS"],
        },
    )


async def load(
    stack: Stack,
    kind: Kind,
    callers: int,
    turns: int,
    clips: Sequence[Frames],
    seed: int = 1,
    edge: Edge = Edge.GRPC,
) -> Load:
    """`callers` calls of `turns` turns each through a fresh gateway."""
    async with gateway(stack, kind) as tested:
        first = await warm_up(tested, clips, edge=edge)
        window = _Window()
        async with asyncio.TaskGroup() as tasks:
            calls = [
                tasks.create_task(
                    _converse(tested, window, callers, turns, clips, f"{seed} {n}", edge), name=f"caller {n}"
                )
                for n in range(callers)
            ]
        found = await timestamps(stack)
    said = [turn for call in calls for turn in call.result()[0]]
    added = [(turn, ms) for turn in said if (ms := added_ms(turn, found)) is not None]
    return Load(
        kind=kind,
        callers=callers,
        turns=len(said),
        unmatched=len(said) - len(added),
        added_ms=tuple(ms for _, ms in added),
        added_over_reply_ms=tuple(ms for turn, ms in added if turn.over_a_reply),
        cpu_percent=window.percent(callers),
        held=window.held,
        first_turn_ms=added_ms(first, found) if first else None,
        failures=tuple(trouble for call in calls if (trouble := call.result()[1])),
        edge=edge,
    )


def added_ms(turn: MeasuredTurn, found: Mapping[str, expected_latency.TurnTimestamps]) -> float | None:
    """Milliseconds on top of the turn's programmed path; None when its time stamps can't be found."""
    programmed_s = expected_latency.programmed_s(found[turn.tag], SILENCE_S) if turn.tag in found else None
    return None if programmed_s is None else 1000 * (turn.first_audio_at - turn.last_sent_at - programmed_s)


@asynccontextmanager
async def called(tested: GatewayProcess, edge: Edge, token: str = "") -> AsyncIterator[Caller]:
    """A call over this wire, over a connection of its own."""
    if edge is Edge.REALTIME:
        async with realtime_calling(tested.web_url) as caller:
            yield caller
    else:
        format = pb.AudioFormat(sample_rate_hz=WIRE_RATE_HZ if edge is Edge.GRPC_24_KHZ else RATE_HZ)
        start = pb.SessionStart(input=format, output=format if edge is Edge.GRPC_24_KHZ else None)
        async with channel_to(tested.target) as channel, calling(channel, start, token) as caller:
            yield caller


async def warm_up(
    tested: GatewayProcess, clips: Sequence[Frames], token: str = "", edge: Edge = Edge.GRPC
) -> MeasuredTurn | None:
    """The first turn of the process, which pays for connections and late imports; told apart from all others."""
    said: list[MeasuredTurn] = []
    async with called(tested, edge, token) as caller:
        await take_turns(caller, 1, clips, random.Random(0), said)
    return said[0] if said else None


async def _converse(
    tested: GatewayProcess,
    window: _Window,
    callers: int,
    turns: int,
    clips: Sequence[Frames],
    seed: str,
    edge: Edge,
) -> tuple[list[MeasuredTurn], str]:
    """The turns of one call, and what went wrong."""
    said: list[MeasuredTurn] = []
    rng = random.Random(seed)
    try:
        await asyncio.sleep(rng.uniform(0, 0.5))
        async with called(tested, edge) as caller:
            await _together(window, callers, tested)
            await asyncio.sleep(rng.uniform(0, 1))
            await take_turns(caller, turns, clips, rng, said)
            if window.ended is None:
                window.ended = (time.monotonic(), tested.cpu_s())
                window.held = tested.sample(callers)
    except CallFailed as trouble:
        return said, str(trouble)
    return said, ""


async def _together(window: _Window, callers: int, tested: GatewayProcess) -> None:
    window.ready += 1
    if window.ready == callers:
        window.begun = (time.monotonic(), tested.cpu_s())
        window.go.set()
    await asyncio.wait_for(window.go.wait(), 30)


async def take_turns(
    caller: Caller, turns: int, clips: Sequence[Frames], rng: random.Random, said: list[MeasuredTurn]
) -> None:
    """Speak, listen, and speak again, a third of the times over the reply; turns are added to `said`."""
    record = caller.record
    over_a_reply = False
    for number in range(turns):
        before = max(record.replies, default=0)
        spoken = await caller.speak(rng.choice(clips))
        await caller.until(lambda last=before: _audible(caller, last), 10, "reply audio")  # type: ignore[misc]
        reply = record.replies[max(record.replies)]
        tag = expected_latency.tag_of(record.turns[-1][1]) if record.turns else None
        if tag and reply.first_audio_at is not None:
            decided_at = record.turns[-1][0]
            said.append(MeasuredTurn(tag, spoken.last_sent_at, reply.first_audio_at, over_a_reply, decided_at))
        if number + 1 == turns:
            return
        over_a_reply = rng.random() < INTERRUPTED_PART
        if over_a_reply:
            await asyncio.sleep(rng.uniform(0.3, 1.5))
        else:
            await hear_out(caller, reply, rng)


async def hear_out(caller: Caller, reply: ReplyLog, rng: random.Random) -> None:
    """Listen until the loudspeaker is silent, and think for a moment."""
    await caller.until(lambda: reply.is_over, 30, "the reply's end")
    await asyncio.sleep(max(0.0, reply.loudspeaker.silent_from() - time.monotonic()) + rng.uniform(0.2, 0.6))


def _audible(caller: Caller, after: int) -> bool:
    return any(n > after and reply.first_audio_at is not None for n, reply in caller.record.replies.items())
