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

from voice_bench.measure.caller import CallFailed, calling, channel_to
from voice_bench.measure.cgroup import Cgroup, limited
from voice_bench.measure.clips import Frames
from voice_bench.measure.expected_latency import TurnTimestamps
from voice_bench.measure.flood_client import GatewayFlood
from voice_bench.measure.flood_process import peak, run_flood
from voice_bench.measure.gateway_process import GatewayInternals, GatewayProcess, Kind, gateway, timestamps
from voice_bench.measure.overhead import MeasuredTurn, added_ms, hear_out, take_turns, warm_up
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import percentile
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
            return await _measured(stack, tested, group, kind, seconds, limit_mb, _Neighbours(tested, clips, seed))


async def _measured(
    stack: Stack,
    tested: GatewayProcess,
    group: Cgroup | str,
    kind: GatewayFlood,
    seconds: float,
    limit_mb: int,
    neighbours: "_Neighbours",
) -> GatewayFloodResult:
    await warm_up(tested, neighbours.clips, _TOKEN)
    await asyncio.sleep(2.0)
    inside = await tested.internals()
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
        counts,
        tuple(neighbours.failures),
    )


class _Neighbours:
    """Those who are in calls, and their turns."""

    def __init__(self, tested: GatewayProcess, clips: Sequence[Frames], seed: int) -> None:
        self._tested = tested
        self.clips = clips
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
                    await take_turns(caller, 1, self.clips, rng, self._turns)
                    await hear_out(caller, caller.record.replies[max(caller.record.replies)], rng)
        except CallFailed as trouble:
            self.failures.append(str(trouble))


def report(results: Sequence[GatewayFloodResult]) -> Report:
    """A line for each flood, and the verdicts."""
    rows = tuple(_row(one) for one in results)
    times = ("added p50 before", "p50 during", "p95 before", "p95 during")
    columns = ("flood", "peak MB", "before MB", *times, "CPU % before", "during", "left")
    notes = tuple(
        f"{one.kind.value}: {json.dumps(one.counts)}; tasks left: {one.inside[1].new_tasks(one.inside[0]) or 'none'}"
        for one in results
    )
    troubles = tuple(
        f"{one.kind.value}: {trouble}" for one in results for trouble in (*one.failures[:3], one.unlimited) if trouble
    )
    verdicts = tuple(verdict for one in results for verdict in _verdicts(one))
    title = f"{NEIGHBOURS} neighbours in calls; memory of the gateway, times in ms"
    return Report("flood", (Rows(title, columns, rows),), verdicts, (*notes, *troubles))


def _row(one: GatewayFloodResult) -> tuple[str | float | None, ...]:
    left = one.inside[1].tasks - one.inside[0].tasks
    values = [percentile(added_ms, percent) for percent in (50, 95) for added_ms in (one.before_ms, one.during_ms)]
    return (one.kind.value, one.peak_mb, one.start_mb, *values, *one.cpu_percent, left)


def _verdicts(one: GatewayFloodResult) -> list[Verdict]:
    name, before, during = one.kind.value, percentile(one.before_ms, 95), percentile(one.during_ms, 95)
    later = during - before if before is not None and during is not None else None
    return [
        at_most(f"{name}: peak memory", one.peak_mb, one.limit_mb, "MB"),
        none_of(f"{name}: ended by the kernel", one.kills),
        at_most(f"{name}: neighbours' answers later, p95", later, LATER_MS, "ms"),
        none_of(f"{name}: neighbours whose call failed", len(one.failures)),
        at_most(f"{name}: tasks left", one.inside[1].tasks - one.inside[0].tasks, 0, ""),
        at_most(f"{name}: files left", one.inside[1].files - one.inside[0].files, FILES_LEFT, ""),
    ]
