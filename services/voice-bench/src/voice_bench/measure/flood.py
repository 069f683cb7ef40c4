"""Does the gateway stay below its memory limit under a flood, and what do its other callers notice?

Ten neighbours are in calls of their own before, during and after the flood, which is a program of its own. Their turns
are measured as in `overhead`: what the gateway added to the simulators' own time.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from voice_bench.measure.caller import Caller, CallFailed, calling, channel_to
from voice_bench.measure.cgroup import Cgroup, limited
from voice_bench.measure.clips import Frames
from voice_bench.measure.expected_latency import TurnTimestamps
from voice_bench.measure.flood_client import GatewayFlood
from voice_bench.measure.flood_process import peak, run_flood
from voice_bench.measure.gateway_process import GatewayInternals, GatewayProcess, Kind, gateway, timestamps
from voice_bench.measure.overhead import MeasuredTurn, added_ms, take_turns, warm_up
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import Spread, spread
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.stack import Stack

NEIGHBOURS = 10
BEFORE_S = 15.0
SETTLE_S = 12.0
"""Longer than the start timeout, so that nothing waits any more."""
LATER_MS = 100.0
FILES_LEFT = 10
_PROGRAM = "voice_bench.measure.flood_client"
_TOKEN, _FLOODER = "neighbour-of-the-flood", "who-floods"


@dataclass(frozen=True, slots=True)
class GatewayFloodResult:
    """One flood."""

    kind: GatewayFlood
    limit_mb: int
    unlimited: str
    """Why no control group limits it; then memory is the process's own."""
    before_ms: tuple[float, ...]
    during_ms: tuple[float, ...]
    start_mb: float
    peak_mb: float
    kills: int
    cpu_percent: tuple[float, float]
    """Of one core: what the gateway used before, and during the flood."""
    inside: tuple[GatewayInternals, GatewayInternals]
    files: tuple[int, int]
    counts: dict[str, int]
    failures: tuple[str, ...]


async def flood(
    stack: Stack, kind: GatewayFlood, seconds: float, limit_mb: int, clips: Sequence[Frames], seed: int
) -> GatewayFloodResult:
    """A fresh gateway below `limit_mb`, its neighbours, and one flood."""
    tokens = stack.folder / "tokens"
    tokens.write_text(f"neighbour: {_TOKEN}\nflooder: {_FLOODER}\n", encoding="utf-8")
    settings = {"GATEWAY_TOKENS_FILE": str(tokens), "GATEWAY_MAX_SESSIONS": "60", "GATEWAY_RESUME_GRACE_S": "1"}
    with limited(limit_mb) as group:
        procs = group.procs if isinstance(group, Cgroup) else None
        async with gateway(stack, Kind.OURS, settings, procs) as tested:
            return await _measured(stack, tested, group, kind, seconds, limit_mb, clips, seed)


async def _measured(
    stack: Stack,
    tested: GatewayProcess,
    group: Cgroup | str,
    kind: GatewayFlood,
    seconds: float,
    limit_mb: int,
    clips: Sequence[Frames],
    seed: int,
) -> GatewayFloodResult:
    await warm_up(tested, clips, _TOKEN)
    await asyncio.sleep(2.0)
    inside, files = await tested.internals(), tested.files()
    neighbours = _Neighbours(tested, clips, seed)
    async with neighbours.talking(), peak(tested.rss_mb, group) as most:
        talking, cpu_s = time.monotonic(), [tested.cpu_s()]
        await asyncio.sleep(BEFORE_S)
        began, start_mb = time.monotonic(), tested.rss_mb()
        cpu_s.append(tested.cpu_s())
        http_port = tested.http_url.rpartition(":")[2]
        counts = await run_flood(_PROGRAM, (kind.value, tested.target, http_port, str(seconds), _FLOODER), seconds)
        ended = time.monotonic()
        cpu_s.append(tested.cpu_s())
    await asyncio.sleep(SETTLE_S)
    found = await timestamps(stack)
    return GatewayFloodResult(
        kind,
        limit_mb,
        group if isinstance(group, str) else "",
        tuple(neighbours.added(found, 0.0, began)),
        tuple(neighbours.added(found, began, ended)),
        start_mb,
        most[0],
        group.kills() if isinstance(group, Cgroup) else 0,
        (100 * (cpu_s[1] - cpu_s[0]) / (began - talking), 100 * (cpu_s[2] - cpu_s[1]) / (ended - began)),
        (inside, await tested.internals()),
        (files, tested.files()),
        counts,
        tuple(neighbours.failures),
    )


class _Neighbours:
    """Those who are in calls, and their turns."""

    def __init__(self, tested: GatewayProcess, clips: Sequence[Frames], seed: int) -> None:
        self._tested = tested
        self._clips = clips
        self._seed = seed
        self._turns: list[MeasuredTurn] = []
        self._over = False
        self.failures: list[str] = []

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        """For the block, and until their last turn is over."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(NEIGHBOURS):
                tasks.create_task(self._talk(number), name=f"neighbour {number}")
            try:
                yield
            finally:
                self._over = True

    def added(self, found: dict[str, TurnTimestamps], since: float, until: float) -> list[float]:
        """What the gateway added to the turns that ended in this time, ms."""
        turns = [turn for turn in self._turns if since <= turn.last_sent_at < until]
        return [ms for turn in turns if (ms := added_ms(turn, found)) is not None]

    async def _talk(self, number: int) -> None:
        rng = random.Random(f"{self._seed} {number}")
        await asyncio.sleep(rng.uniform(0, 2))
        try:
            async with channel_to(self._tested.target) as channel, calling(channel, token=_TOKEN) as caller:
                while not self._over:
                    await self._turn(caller, rng)
        except CallFailed as trouble:
            self.failures.append(str(trouble))

    async def _turn(self, caller: Caller, rng: random.Random) -> None:
        await take_turns(caller, 1, self._clips, rng, self._turns)
        reply = caller.record.replies[max(caller.record.replies)]
        await caller.until(lambda: reply.is_over, 30, "the reply's end")
        await caller.pause(max(0.0, reply.loudspeaker.silent_from() - time.monotonic()) + rng.uniform(0.2, 0.6))


def report(results: Sequence[GatewayFloodResult]) -> Report:
    """A line for each flood, and the verdicts."""
    rows = tuple(_row(one) for one in results)
    columns = (
        "flood",
        "peak MB",
        "before MB",
        "added p50 before",
        "p50 during",
        "p95 before",
        "p95 during",
        "CPU % before",
        "during",
        "left",
    )
    notes = tuple(f"{one.kind.value}: {json.dumps(one.counts)}; tasks left: {_left(one) or 'none'}" for one in results)
    troubles = tuple(
        f"{one.kind.value}: {trouble}" for one in results for trouble in (*one.failures[:3], one.unlimited) if trouble
    )
    verdicts = tuple(verdict for one in results for verdict in _verdicts(one))
    title = f"{NEIGHBOURS} neighbours in calls; memory of the gateway, times in ms"
    return Report("flood", (Rows(title, columns, rows),), verdicts, (*notes, *troubles))


def _row(one: GatewayFloodResult) -> tuple[str | float | None, ...]:
    before, during = spread(one.before_ms), spread(one.during_ms)
    left = one.inside[1].tasks - one.inside[0].tasks
    values = [_value(of, name) for name in ("p50", "p95") for of in (before, during)]
    return (one.kind.value, one.peak_mb, one.start_mb, *values, *one.cpu_percent, left)


def _left(one: GatewayFloodResult) -> dict[str, int]:
    """Tasks that were not there before, by their names."""
    before, after = one.inside
    return {
        name: count - before.names.get(name, 0)
        for name, count in after.names.items()
        if count > before.names.get(name, 0)
    }


def _value(of: Spread | None, name: str) -> float | None:
    return None if of is None else float(getattr(of, name))


def _verdicts(one: GatewayFloodResult) -> list[Verdict]:
    name, before, during = one.kind.value, spread(one.before_ms), spread(one.during_ms)
    later = during.p95 - before.p95 if before and during else None
    return [
        at_most(f"{name}: peak memory", one.peak_mb, one.limit_mb, "MB"),
        none_of(f"{name}: ended by the kernel", one.kills),
        at_most(f"{name}: neighbours' answers later, p95", later, LATER_MS, "ms"),
        none_of(f"{name}: neighbours whose call failed", len(one.failures)),
        at_most(f"{name}: tasks left", one.inside[1].tasks - one.inside[0].tasks, 0, ""),
        at_most(f"{name}: files left", one.files[1] - one.files[0], FILES_LEFT, ""),
    ]
