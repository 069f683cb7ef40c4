"""Were the streams served in time? Lateness of partials, finals and refusals against what is promised."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import figures, percentile
from voice_bench.measure.verdict import at_most, none_of
from voice_bench.speech.streams import FINAL_WITHIN_S, PARTIAL_WITHIN_S, REFUSED_WITHIN_S, Lateness


@dataclass(frozen=True, slots=True)
class ServerUsage:
    """What the server used."""

    cores: float
    half_way_mb: float
    """Resident memory, MiB."""
    at_the_end_mb: float


def report(count: int, found: Lateness, partials_before: int, server: ServerUsage) -> Report:
    """`partials_before`: how many partials had come when the streams beyond the limit tried."""
    refusals = found.refusals
    slowest = max((*refusals.together, *refusals.apart), default=None)
    seconds = {
        "partials": found.partials,
        "finals": found.finals,
        "refusals, all at once": refusals.together,
        "refusals, one by one": refusals.apart,
    }
    after = found.partials[partials_before:]
    partial_ms, final_ms, refused_ms = (one * 1000 for one in (PARTIAL_WITHIN_S, FINAL_WITHIN_S, REFUSED_WITHIN_S))
    return Report(
        name=f"{count} streams at once",
        tables=(
            Rows(
                "Lateness, ms",
                ("of", "count", "p50", "p95", "p99", "largest"),
                tuple(_row(name, values) for name, values in seconds.items()),
            ),
            Rows("Server", ("cores used", "RSS MiB half-way", "at the end"), (astuple(server),)),
        ),
        verdicts=(
            at_most("partials after their audio, p95", _ms(percentile(found.partials, 95)), partial_ms, "ms"),
            at_most("finals after the last speech, p95", _ms(percentile(found.finals, 95)), final_ms, "ms"),
            none_of("utterances without a final", found.missing_finals),
            none_of("streams that broke", len(found.broken)),
            none_of("streams beyond the limit that were not refused", refusals.not_refused),
            at_most("refusals, largest", _ms(slowest), refused_ms, "ms"),
            at_most("partials after the refusals, p95", _ms(percentile(after, 95)), partial_ms, "ms"),
        ),
        notes=tuple(found.broken[:3]),
    )


def _row(name: str, seconds: Sequence[float]) -> tuple[str | float | int | None, ...]:
    return (name, len(seconds), *figures([1000 * value for value in seconds]))


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
