"""Does the speech server stay below its memory limit under a flood, and do its other streams go on?

Ten neighbours stream tones in real time, before and during the flood, which is a program of its own: nobody needs a
token here, so the flood is a known caller's, and may take every free place. How late the neighbours hear is measured as
in `streams`.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import grpc
import psutil

from voice_bench.measure import host_info
from voice_bench.measure.cgroup import Cgroup, limited
from voice_bench.measure.flood_process import peak, run_flood
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import percentile
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.speech.flood_client import SpeechFlood
from voice_bench.speech.process_stats import ProcessStats, process_stats, stats_when_idle, taken_slots
from voice_bench.speech.server import ELSEWHERE
from voice_bench.speech.streams import PAUSE_S, SPEECH_S, Lateness, Stream
from voice_bench.stack import Stack, running
from voice_bench.stack_config import Part, StackConfig

NEIGHBOURS = 10
BEFORE_S = 10.0
SETTLE_S = 15.0
FILES_LEFT = 10
_PROGRAM = "voice_bench.speech.flood_client"


@dataclass(frozen=True, slots=True)
class SpeechFloodResult:
    """One flood."""

    kind: SpeechFlood
    limit_mb: int
    unlimited: str
    """Why no control group limits it; then memory is the process's own."""
    late_ms: tuple[float | None, float | None]
    """A partial of a neighbour, p95, before and during the flood."""
    start_mb: float
    peak_mb: float
    kills: int
    held: tuple[ProcessStats, ProcessStats]
    """Before the neighbours came, and after all."""
    slots_left: float
    counts: dict[str, int]
    broken: tuple[str, ...]
    missing_finals: int


async def flood(settings: dict[str, str], kind: SpeechFlood, seconds: float, limit_mb: int) -> SpeechFloodResult:
    """A fresh server below `limit_mb`, its neighbours, and one flood. Raises StackFailed, CallFailed."""
    alone, _ = host_info.cores()
    with limited(limit_mb) as group:
        groups = {Part.SPEECH: group.procs} if isinstance(group, Cgroup) else {}
        cores = {Part.SPEECH: frozenset(alone)}
        async with running(StackConfig(speech=settings, external=ELSEWHERE, cores=cores, groups=groups)) as stack:
            process = psutil.Process(stack.servers[Part.SPEECH].pid)

            def rss_mb() -> float:
                return float(process.memory_info().rss) / 2**20

            before, start_mb, found = process_stats(process, 0), rss_mb(), Lateness()
            async with peak(rss_mb, group) as most:
                partials_before, counts = await stack.beside(_neighbours_and_flood(stack, kind, seconds, found))
            async with aiohttp.ClientSession(stack.http_url(Part.SPEECH)) as session:
                slots_left = await _slots_left(session)
            after = await stats_when_idle(process, 0)
        return SpeechFloodResult(
            kind,
            limit_mb,
            group if isinstance(group, str) else "",
            (_p95_ms(found.partials[:partials_before]), _p95_ms(found.partials[partials_before:])),
            start_mb,
            most[0],
            group.kills() if isinstance(group, Cgroup) else 0,
            (before, after),
            slots_left,
            counts,
            tuple(found.broken),
            found.missing_finals,
        )


async def _slots_left(session: aiohttp.ClientSession) -> float:
    """Places that are still taken when the server has had its time to see that nobody is there."""
    due = time.monotonic() + SETTLE_S
    left = await taken_slots(session)
    while left and time.monotonic() < due:
        await asyncio.sleep(0.2)
        left = await taken_slots(session)
    return left


async def _neighbours_and_flood(
    stack: Stack, kind: SpeechFlood, seconds: float, found: Lateness
) -> tuple[int, dict[str, int]]:
    """The neighbours for their time, and the flood within it: partials that came before it, and what it counted."""
    arguments = (kind.value, stack.speech_target, str(stack.port(Part.SPEECH, "http")), str(seconds))
    async with grpc.aio.insecure_channel(stack.speech_target) as channel, asyncio.TaskGroup() as tasks:
        for number in range(NEIGHBOURS):
            stream = Stream(found, number * (SPEECH_S + PAUSE_S) / NEIGHBOURS)
            tasks.create_task(stream.run(channel, BEFORE_S + seconds), name=f"neighbour {number}")
        await asyncio.sleep(BEFORE_S)
        return len(found.partials), await run_flood(_PROGRAM, arguments, seconds)


def report(results: Sequence[SpeechFloodResult]) -> Report:
    """A line for each flood, and the verdicts."""
    rows = tuple(
        (one.kind.value, one.peak_mb, one.start_mb, *one.late_ms, one.held[1].files - one.held[0].files)
        for one in results
    )
    columns = ("flood", "peak MB", "at first MB", "partials p95 before", "p95 during", "files left")
    notes = tuple(f"{one.kind.value}: {one.counts}" for one in results)
    troubles = tuple(
        f"{one.kind.value}: {trouble}" for one in results for trouble in (*one.broken[:3], one.unlimited) if trouble
    )
    verdicts = tuple(verdict for one in results for verdict in _verdicts(one))
    title = f"{NEIGHBOURS} neighbours streaming; memory of the server, times in ms"
    return Report("speech-flood", (Rows(title, columns, rows),), verdicts, (*notes, *troubles))


def _verdicts(one: SpeechFloodResult) -> list[Verdict]:
    name = one.kind.value
    return [
        at_most(f"{name}: peak memory", one.peak_mb, one.limit_mb, "MB"),
        none_of(f"{name}: ended by the kernel", one.kills),
        none_of(f"{name}: neighbours whose stream broke", len(one.broken)),
        none_of(f"{name}: utterances without a final", one.missing_finals),
        none_of(f"{name}: places left taken", round(one.slots_left)),
        at_most(f"{name}: files left", one.held[1].files - one.held[0].files, FILES_LEFT, ""),
    ]


def _p95_ms(seconds: Sequence[float]) -> float | None:
    found = percentile(seconds, 95)
    return None if found is None else found * 1000
