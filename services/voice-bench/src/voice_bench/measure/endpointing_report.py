"""What does each way to end a turn cost the callers? Cut-offs and delays, by kind of turn, and CPU."""

from collections.abc import Sequence

from voice_bench.measure.endpointing import Cost, Judge
from voice_bench.measure.endpointing_run import Judged
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import percentile
from voice_bench.measure.verdict import at_most, none_of


def report(judged: Sequence[Judged], judges: Sequence[Judge], cost: Cost) -> Report:
    """The first judge is what was before, the third the default."""
    names = [judge.name for judge in judges]
    kinds = list(dict.fromkeys(one.kind for one in judged))
    columns = ("judge", "turns", "cut off", "heard", "delay p50 s", "p95 s", "never ended")
    every = tuple(_row(name, [one for one in judged if one.judge == name]) for name in names)
    tables = [Rows("all turns", columns, every)]
    rows = [_of(kind, name, judged) for kind in kinds for name in names]
    tables.append(Rows("by kind", ("kind", "judge", "turns", "cut off", "heard", "delay p50 s", "p95 s"), tuple(rows)))
    costs = (_cost("words", cost.words), _cost("model", cost.scores))
    tables.append(Rows("CPU of a decision", ("by", "decisions", "p50 ms", "p95 ms"), costs))
    before, default = (_cuts(judged, names[n]) for n in (0, 2))
    dictation = sum(one.outcome.cuts for one in judged if one.kind == "dictation" and one.judge == names[2])
    answers = [one.outcome.delay_s for one in judged if one.kind == "answer" and one.judge == names[2]]
    verdicts = (
        at_most("turns cut off by the default", default, before, "as before"),
        none_of("dictations cut off by the default", dictation),
        at_most('delay of "yes" by the default, p50', percentile([one for one in answers if one], 50), 0.4, "s"),
    )
    return Report("endpointing: when is a turn over?", tuple(tables), verdicts)


def _cuts(judged: Sequence[Judged], name: str) -> int:
    return sum(one.outcome.cuts > 0 for one in judged if one.judge == name)


def _row(name: str, found: Sequence[Judged]) -> tuple[str | float | int | None, ...]:
    delays = [one.outcome.delay_s for one in found if one.outcome.delay_s is not None]
    cut, heard = (sum(count > 0 for count in counts) for counts in _counts(found))
    return (name, len(found), cut, heard, percentile(delays, 50), percentile(delays, 95), len(found) - len(delays))


def _of(kind: str, name: str, judged: Sequence[Judged]) -> tuple[str | float | int | None, ...]:
    row = _row(name, [one for one in judged if (one.kind, one.judge) == (kind, name)])
    return (kind, *row[:-1])


def _counts(found: Sequence[Judged]) -> tuple[list[int], list[int]]:
    return [one.outcome.cuts for one in found], [one.outcome.heard_cuts for one in found]


def _cost(by: str, seconds: Sequence[float]) -> tuple[str | float | int | None, ...]:
    ms = [1000 * one for one in seconds]
    return (by, len(ms), percentile(ms, 50), percentile(ms, 95))
