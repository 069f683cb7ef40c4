"""Did broken requests break anything, and does the server hold more and more? Growth is judged over the second half."""

from collections.abc import Sequence
from dataclasses import astuple

from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import slope
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.speech.fuzz import FuzzOutcome
from voice_bench.speech.process_stats import ProcessStats

NOISE_MB, NOISE_MB_PER_1000 = 8.0, 0.1
"""The first ten thousand requests fill pools and caches (5 MiB measured); a request that leaves 300 bytes is found in
100,000."""
POOLED_THREADS = 8
"""Pools start their threads as they are needed, and keep them."""
SPARE_FILES = 2
"""Files that may be open for a moment."""
_TOLD = 10


def report(outcome: FuzzOutcome, requests: int, took_s: float) -> Report:
    """Answers, what was held on the way, and the verdicts."""
    answered = tuple((status, count) for status, count in sorted(outcome.statuses.items()))
    every = max(1, len(outcome.held) // _TOLD)
    columns = ("requests", "RSS MiB", "files", "our connections", "threads", "children")
    held = tuple(astuple(one) for one in (*outcome.held[::every], *([outcome.left] if outcome.left else [])))
    half = second_half(outcome.held)
    per_1000_mb = 1000 * slope([(float(one.requests), one.rss_mb) for one in half])
    return Report(
        name=f"{requests} broken requests in {took_s:.0f} s",
        tables=(
            Rows("Answers", ("status", "count"), answered),
            Rows("Server, on the way and after we hung up", columns, held),
        ),
        verdicts=(
            none_of("requests without an answer", len(outcome.unanswered)),
            none_of("answers that say the server failed", len(outcome.broken)),
            *growth(outcome.held, outcome.left),
            none_of("places still taken when nobody was connected", round(outcome.slots_left)),
            Verdict("not ready at the end", float(not outcome.is_ready), 0, "", outcome.is_ready),
        ),
        notes=(
            f"memory over the second half: {per_1000_mb:+.3f} MiB per 1000 requests",
            *outcome.unanswered[:5],
            *outcome.broken[:5],
        ),
    )


def growth(held: Sequence[ProcessStats], left: ProcessStats | None) -> tuple[Verdict, ...]:
    """Four: memory, files, threads, children. `left`: what is held when nobody is connected any more."""
    half = second_half(held)
    middle, end = half[0], left or half[-1]
    allowed_mb = NOISE_MB + NOISE_MB_PER_1000 * (end.requests - middle.requests) / 1000
    what = "grown over the second half"
    return (
        at_most(f"memory {what}", max(0.0, end.rss_mb - middle.rss_mb), allowed_mb, "MiB"),
        at_most(f"files {what}", max(0, end.files - middle.files), SPARE_FILES, ""),
        at_most(f"threads {what}", max(0, end.threads - middle.threads), POOLED_THREADS, ""),
        at_most(f"children {what}", max(0, end.children - middle.children), 0, ""),
    )


def second_half(held: Sequence[ProcessStats]) -> Sequence[ProcessStats]:
    """By then every code path has been seen, and pools are filled."""
    return held[len(held) // 2 :]
