"""What does the quality run say? Word errors and latencies by clip and by category, and whether that is good enough."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from voice_bench.measure.figures import percentile
from voice_bench.measure.recordings import Errors, errors
from voice_bench.measure.recordings_report import WORDS_MORE_WRONG
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.speech.quality import Heard

MOST_WRONG = {"parakeet": 0.12, "streaming": 0.15, "embedded": 0.35, "scripted": 1.0}
"""Pooled word error rate an engine may have on read English: Parakeet leaves room for hard clips, a streaming model
hears less of what comes, the embedded recogniser is a demonstration, and the scripted one hears its script whatever was
said."""

Alone = Mapping[Path, str]
"""What the engine heard by itself, by recording."""


def report(
    heard: Sequence[Heard],
    engine: str,
    *,
    live: bool,
    most_wrong: float | None,
    alone: Alone | None = None,
    words_worse: int = WORDS_MORE_WRONG,
) -> Report:
    """`most_wrong` overrules the engine's threshold; with neither the rate is not judged.

    With `alone` the server may have `words_worse` more words wrong, all recordings together.
    """
    limit = MOST_WRONG.get(engine) if most_wrong is None else most_wrong
    categories = list(dict.fromkeys(one.spoken.category for one in heard))
    by_category = tuple(
        _row(name, [one for one in heard if one.spoken.category == name or name == "all"], alone)
        for name in (*categories, "all")
    )
    columns = ("category", "clips", "words", "wrong", "alone", "WER %", "latency p50 s", "latency p95 s", "RTF")
    clip_columns = ("clip", "category", "words", "wrong", "alone", "WER %", "latency s", "audio s", "heard")
    return Report(
        name=f"quality of {engine}, {'live streams' if live else 'whole recordings'}",
        tables=(
            Rows("By category; alone: words wrong of the engine by itself", columns, by_category),
            Rows("By clip", clip_columns, tuple(_clip(one, alone) for one in heard)),
        ),
        verdicts=tuple(_verdicts(heard, limit, alone, words_worse)),
        notes=tuple(_differences(heard, alone or {})),
    )


def _verdicts(heard: Sequence[Heard], limit: float | None, alone: Alone | None, words_worse: int) -> list[Verdict]:
    pooled = _pooled(heard)
    found = [none_of("recordings refused or without an answer", sum(1 for one in heard if one.trouble))]
    if limit is not None:
        found.append(at_most("pooled word error rate", pooled.rate, limit, ""))
    if alone is not None:
        more = pooled.wrong - _pooled_alone(heard, alone).wrong
        found.append(at_most("words more wrong than the engine alone", more, words_worse, "words"))
    return found


def _clip(one: Heard, alone: Alone | None) -> tuple[str | float | int | None, ...]:
    return (
        one.spoken.name,
        one.spoken.category,
        one.errors.words,
        one.errors.wrong,
        _pooled_alone([one], alone).wrong if alone is not None else None,
        100 * one.errors.rate,
        one.latency_s,
        one.audio_s,
        one.trouble or one.text,
    )


def _row(name: str, heard: Sequence[Heard], alone: Alone | None) -> tuple[str | float | int | None, ...]:
    pooled = _pooled(heard)
    answered = [one for one in heard if not one.trouble]
    audio_s = sum(one.audio_s for one in answered)
    latencies = [one.latency_s for one in answered]
    return (
        name,
        len(heard),
        pooled.words,
        pooled.wrong,
        _pooled_alone(heard, alone).wrong if alone is not None else None,
        100 * pooled.rate,
        percentile(latencies, 50),
        percentile(latencies, 95),
        sum(latencies) / audio_s if audio_s else None,
    )


def _differences(heard: Sequence[Heard], alone: Alone) -> list[str]:
    """What the engine alone heard otherwise."""
    texts = [(one, alone.get(one.spoken.path.absolute())) for one in heard]
    return [
        f"{one.spoken.name}: the engine alone heard: {text or '(nothing)'}"
        for one, text in texts
        if text is not None and errors([(one.text or "-", text or "-")]).wrong
    ]


def _pooled(heard: Sequence[Heard]) -> Errors:
    return errors([(one.spoken.text, one.text) for one in heard])


def _pooled_alone(heard: Sequence[Heard], alone: Alone) -> Errors:
    return errors([(one.spoken.text, alone.get(one.spoken.path.absolute(), "")) for one in heard])
