"""What do the faults of recognisers cost? A table and the verdicts."""

from collections.abc import Sequence

from voice_bench.measure.asr_faults import Fault, FaultTurn
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import percentile
from voice_bench.measure.verdict import Verdict, at_most, none_of

ADDED_MS = {Fault.KILL: 500.0, Fault.LEAVE: 500.0, Fault.STOP: 2_000.0, Fault.BLACKHOLE: 2_000.0}
"""A broken connection is known at once; one that stands still is told by an answer that does not come."""


def report(fault: Fault, turns: Sequence[FaultTurn]) -> Report:
    """Delays beside those without a fault."""
    usual = percentile([turn.delay_ms for turn in turns if not turn.hit], 50) or 0.0
    hit = [turn for turn in turns if turn.hit]
    measured = {
        "turn decided after the last frame, no fault": [turn.delay_ms for turn in turns if not turn.hit],
        "turn decided after the last frame, hit": [turn.delay_ms for turn in hit],
        "added by the fault": [turn.delay_ms - usual for turn in hit],
        "fault to the next transcript": [turn.silence_ms for turn in hit if turn.silence_ms is not None],
    }
    rows = tuple(
        (name, len(values), *(percentile(values, percent) for percent in (50, 95, 100)))
        for name, values in measured.items()
        if values
    )
    table = Rows(f"{len(hit)} calls hit in mid-word, ms", ("what", "count", "p50", "p95", "largest"), rows)
    return Report(
        f"asr-faults: {fault.value} beside a healthy recogniser", (table,), tuple(verdicts(fault, turns, usual))
    )


def verdicts(fault: Fault, turns: Sequence[FaultTurn], usual_ms: float) -> list[Verdict]:
    """No word lost or doubled, and found in time."""
    added = [turn.delay_ms - usual_ms for turn in turns if turn.hit]
    return [
        none_of("words lost", sum(turn.lost for turn in turns)),
        none_of("words doubled", sum(turn.doubled for turn in turns)),
        at_most("added by the fault, worst", max(added, default=None), ADDED_MS[fault], "ms"),
    ]
