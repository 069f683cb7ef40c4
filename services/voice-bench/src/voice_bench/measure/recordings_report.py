"""What do the recordings say? Word errors beside the recogniser's own, and calls that lacked something."""

from collections.abc import Mapping, Sequence

from voice_bench.measure.recordings import RecordedCall, Recording
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import percentile
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.measure.word_errors import Errors, errors

WORDS_MORE_WRONG = 3

RESPONSE_S = 0.45
"""From the end of speech to the first reply audio, median of one call after another."""

_Row = tuple[str | int | float | None, ...]

_TIMES = ("decision p50 s", "response p50 s", "p95 s", "cut off")
"""From the last speech that the gateway's detector heard, and turns that were decided too early."""


def report(
    recordings: Sequence[Recording], alone: Mapping[str, str], passes: Mapping[str, Sequence[RecordedCall]]
) -> Report:
    """`alone` is what the recogniser heard by itself; `passes` what came through the gateway, by how it was played."""
    said = {recording.name: recording.text for recording in recordings}
    base = errors([(said[name], text) for name, text in alone.items()])
    bases = {name: errors([(said[one.name], alone[one.name]) for one in heard]) for name, heard in passes.items()}
    pooled = {name: errors([(said[one.name], one.text) for one in heard]) for name, heard in passes.items()}
    rows: list[_Row] = [("recogniser alone", base.words, base.wrong, base.percent, *(None,) * (3 + len(_TIMES)))]
    rows += [_row(name, pooled[name], heard) for name, heard in passes.items()]
    columns = ("path", "words", "wrong", "WER %", "complete calls", "largest lag s", "slowest answer s", *_TIMES)
    calls = [
        (name, one.name, one.text, one.turns, one.finals, one.replies, one.audio_s, one.response_s, one.trouble)
        for name, heard in passes.items()
        for one in heard
    ]
    heard_columns = ("path", "recording", "heard", "turns", "finals", "replies", "audio s", "response s", "trouble")
    notes = tuple(f"{name}: recogniser alone heard: {text}" for name, text in alone.items())
    return Report(
        "speech: recordings through the gateway",
        (Rows("word errors", columns, tuple(rows)), Rows("calls", heard_columns, tuple(calls))),
        tuple(verdicts(bases, pooled, passes)),
        notes,
    )


def verdicts(
    bases: Mapping[str, Errors], pooled: Mapping[str, Errors], passes: Mapping[str, Sequence[RecordedCall]]
) -> list[Verdict]:
    """Two per pass; `bases` are the recogniser's own errors in the same recordings."""
    found = []
    for name, heard in passes.items():
        more = pooled[name].wrong - bases[name].wrong
        found.append(at_most(f"words more wrong than the recogniser alone, {name}", more, WORDS_MORE_WRONG, "words"))
        found.append(none_of(f"calls without transcript, reply, audio or end, {name}", _incomplete(heard)))
    first = next(iter(passes))
    response = percentile([one.response_s for one in passes[first] if one.response_s is not None], 50)
    found.append(at_most(f"end of speech to reply audio, p50, {first}", response, RESPONSE_S, "s"))
    found.append(none_of("turns decided before the caller had finished", sum(map(_cut_offs, passes[first]))))
    return found


def _row(name: str, found: Errors, heard: Sequence[RecordedCall]) -> _Row:
    lags = [one.largest_lag_s for one in heard if one.largest_lag_s is not None]
    answers = [one.voice_to_voice_s for one in heard if one.voice_to_voice_s is not None]
    longest = (max(lags, default=None), max(answers, default=None))
    decisions = [one.decision_s for one in heard if one.decision_s is not None]
    responses = [one.response_s for one in heard if one.response_s is not None]
    times = (percentile(decisions, 50), percentile(responses, 50), percentile(responses, 95))
    cut_offs = sum(map(_cut_offs, heard))
    complete = len(heard) - _incomplete(heard)
    return (name, found.words, found.wrong, found.percent, complete, *longest, *times, cut_offs)


def _cut_offs(one: RecordedCall) -> int:
    return max(0, one.turns - 1)


def _incomplete(heard: Sequence[RecordedCall]) -> int:
    return sum(not one.complete for one in heard)
