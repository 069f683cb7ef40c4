"""What does the overhead measurement say? Tables and verdicts of its loads."""

from collections.abc import Sequence

from voice_bench.measure.gateway_process import Kind, Sample
from voice_bench.measure.overhead import Edge, Load
from voice_bench.measure.per_call_cost import per_call_mb, threads_per_call
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import figures, percentile
from voice_bench.measure.verdict import Verdict, at_most, none_of, ratio

ADDED_P50_MS, ADDED_P95_MS = 5.0, 12.0
CPU_PERCENT = 1.6
"""Of one core, per call, with ten calls and the detector on."""
MEMORY_MB = 0.5
P95_RATIO, CPU_RATIO = 2.5, 1.45
REALTIME_P50_MS = 3.0
"""Added to what a turn over gRPC has added."""
THREADS_PER_CALL = 0.1
"""Pools may fill up by a few threads; a call must not bring one."""
BUSY = 10
"""Callers of the targets that need load."""

_NAMES = {Kind.OURS: "voice-gateway", Kind.BASELINE: "baseline gateway"}


def report(loads: Sequence[Load], steps: Sequence[Sample]) -> Report:
    """Everything, with a verdict per target that these loads can judge."""
    notes = [f"{_name(load)}, {load.callers} callers: {failure}" for load in loads for failure in load.failures[:3]]
    notes.append("added = voice-to-voice at the caller minus the programmed path of that turn (550 ms)")
    notes.append("first = the first turn of the process (connections, late imports), in no other number")
    return Report(
        "overhead: what the gateway adds to a turn",
        (_turn_table(loads), _step_table(steps)),
        tuple(verdicts(loads, steps)),
        tuple(notes),
    )


def verdicts(loads: Sequence[Load], steps: Sequence[Sample]) -> list[Verdict]:
    """One per target."""
    ours = {load.callers: load for load in loads if load.kind is Kind.OURS and load.edge is Edge.GRPC}
    resampled, realtime = (
        {load.callers: load for load in loads if load.edge is edge} for edge in (Edge.GRPC_24_KHZ, Edge.REALTIME)
    )
    chain = {load.callers: load for load in loads if load.kind is Kind.BASELINE}
    found: list[Verdict] = []
    for callers, load in ours.items():
        p50, p95 = percentile(load.added_ms, 50), percentile(load.added_ms, 95)
        found.append(at_most(f"added p50, {callers} callers", p50, ADDED_P50_MS, "ms"))
        found.append(at_most(f"added p95, {callers} callers", p95, ADDED_P95_MS, "ms"))
        found.append(none_of(f"turns without time stamps, {callers} callers", load.unmatched))
        found.append(none_of(f"failed calls, {callers} callers", len(load.failures)))
    for callers in sorted(ours.keys() & chain.keys()):
        p95s = ratio(percentile(ours[callers].added_ms, 95), percentile(chain[callers].added_ms, 95))
        cpus = ratio(ours[callers].cpu_percent, chain[callers].cpu_percent)
        found.append(at_most(f"added p95 against the baseline gateway, {callers} callers", p95s, P95_RATIO, "times"))
        found.append(at_most(f"CPU against the baseline gateway, {callers} callers", cpus, CPU_RATIO, "times"))
    for callers in sorted(resampled.keys() & realtime.keys()):
        mine, theirs = (percentile(loads[callers].added_ms, 50) for loads in (realtime, resampled))
        more = None if mine is None or theirs is None else mine - theirs
        found.append(
            at_most(f"added p50 over Realtime beyond gRPC's at 24 kHz, {callers} callers", more, REALTIME_P50_MS, "ms")
        )
        cpus = ratio(realtime[callers].cpu_percent, resampled[callers].cpu_percent)
        found.append(at_most(f"CPU over Realtime against gRPC at 24 kHz, {callers} callers", cpus, CPU_RATIO, "times"))
        found.append(none_of(f"failed sessions over Realtime, {callers} callers", len(realtime[callers].failures)))
    if BUSY in ours:
        found.append(at_most(f"CPU per call, {BUSY} callers", ours[BUSY].cpu_percent, CPU_PERCENT, "% of a core"))
    if len(steps) > 1:
        found.append(at_most("memory per further call", per_call_mb(steps), MEMORY_MB, "MB"))
        found.append(at_most("threads per further call", threads_per_call(steps), THREADS_PER_CALL, ""))
    return found


def _turn_table(loads: Sequence[Load]) -> Rows:
    times = ("added p50 ms", "p95", "p99", "max", "over a reply p50", "first")
    columns = ("gateway", "callers", "turns", "no stamps", *times, "CPU %/call", "RSS MB", "threads")
    return Rows("turns", columns, tuple(_row(load) for load in loads))


def _row(load: Load) -> tuple[str | float | int | None, ...]:
    return (
        _name(load),
        load.callers,
        load.turns,
        load.unmatched,
        *figures(load.added_ms),
        percentile(load.added_over_reply_ms, 50),
        load.first_turn_ms,
        load.cpu_percent,
        *((load.held.rss_mb, load.held.threads) if load.held else (None, None)),
    )


def _name(load: Load) -> str:
    return _NAMES[load.kind] + (f", {load.edge.value}" if load.edge is not Edge.GRPC else "")


def _step_table(steps: Sequence[Sample]) -> Rows:
    rows = tuple((step.calls, step.rss_mb, step.threads) for step in steps)
    return Rows("one gateway while calls join", ("calls", "RSS MB", "threads"), rows)
