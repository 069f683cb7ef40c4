"""What does the quality run say? Word errors and latencies by clip and by category, and whether that is good enough."""

from collections.abc import Sequence

from voice_bench.measure.figures import percentile
from voice_bench.measure.recordings import Errors, errors
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.verdict import at_most, none_of
from voice_bench.speech.quality import Heard

MOST_WRONG = {"parakeet": 0.12, "embedded": 0.35, "scripted": 1.0}
"""Pooled word error rate an engine may have on read English: Parakeet leaves room for hard clips, the embedded
recogniser is a demonstration, and the scripted one hears its script whatever was said."""


def report(heard: Sequence[Heard], engine: str, *, live: bool, most_wrong: float | None) -> Report:
    """`most_wrong` overrules the engine's threshold; with neither nothing is judged."""
    limit = MOST_WRONG.get(engine) if most_wrong is None else most_wrong
    pooled = _pooled(heard)
    verdicts = [none_of("recordings refused or without an answer", sum(1 for one in heard if one.trouble))]
    if limit is not None:
        verdicts.append(at_most("pooled word error rate", pooled.rate, limit, ""))
    categories = list(dict.fromkeys(one.spoken.category for one in heard))
    return Report(
        name=f"quality of {engine}, {'live streams' if live else 'whole recordings'}",
        tables=(
            Rows(
                "By category",
                ("category", "clips", "words", "wrong", "WER %", "latency p50 s", "latency p95 s", "RTF"),
                tuple(
                    _row(name, [one for one in heard if one.spoken.category == name or name == "all"])
                    for name in (*categories, "all")
                ),
            ),
            Rows(
                "By clip",
                ("clip", "category", "words", "wrong", "WER %", "latency s", "audio s", "heard"),
                tuple(
                    (
                        one.spoken.name,
                        one.spoken.category,
                        one.errors.words,
                        one.errors.wrong,
                        100 * one.errors.rate,
                        one.latency_s,
                        one.audio_s,
                        one.trouble or one.text,
                    )
                    for one in heard
                ),
            ),
        ),
        verdicts=tuple(verdicts),
    )


def _row(name: str, heard: Sequence[Heard]) -> tuple[str | float | int | None, ...]:
    pooled = _pooled(heard)
    answered = [one for one in heard if not one.trouble]
    audio_s = sum(one.audio_s for one in answered)
    latencies = [one.latency_s for one in answered]
    return (
        name,
        len(heard),
        pooled.words,
        pooled.wrong,
        100 * pooled.rate,
        percentile(latencies, 50),
        percentile(latencies, 95),
        sum(latencies) / audio_s if audio_s else None,
    )


def _pooled(heard: Sequence[Heard]) -> Errors:
    return errors([(one.spoken.text, one.text) for one in heard])
