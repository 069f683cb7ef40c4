"""What do the recordings say? Word errors beside the recogniser's own, and calls that lacked something."""

from collections.abc import Mapping, Sequence

from voice_bench.measure.recordings import RecordedCall, Recording
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.measure.word_errors import Errors, errors

WORDS_MORE_WRONG = 3

_Row = tuple[str, int, int, float | None, int | None, float | None, float | None]


def report(
    recordings: Sequence[Recording], alone: Mapping[str, str], passes: Mapping[str, Sequence[RecordedCall]]
) -> Report:
    """`alone` is what the recogniser heard by itself; `passes` what came through the gateway, by how it was played."""
    said = {recording.name: recording.text for recording in recordings}
    base = errors([(said[name], text) for name, text in alone.items()])
    bases = {name: errors([(said[one.name], alone[one.name]) for one in heard]) for name, heard in passes.items()}
    pooled = {name: errors([(said[one.name], one.text) for one in heard]) for name, heard in passes.items()}
    rows: list[_Row] = [("recogniser alone", base.words, base.wrong, base.percent, None, None, None)]
    rows += [_row(name, pooled[name], heard) for name, heard in passes.items()]
    columns = ("path", "words", "wrong", "WER %", "complete calls", "largest lag s", "slowest answer s")
    calls = [
        (name, one.name, one.text, one.finals, one.replies, one.audio_s, one.largest_lag_s, one.trouble)
        for name, heard in passes.items()
        for one in heard
    ]
    heard_columns = ("path", "recording", "heard", "finals", "replies", "audio s", "lag s", "trouble")
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
    return found


def _row(name: str, found: Errors, heard: Sequence[RecordedCall]) -> _Row:
    lags = [one.largest_lag_s for one in heard if one.largest_lag_s is not None]
    answers = [one.voice_to_voice_s for one in heard if one.voice_to_voice_s is not None]
    longest = (max(lags, default=None), max(answers, default=None))
    return (name, found.words, found.wrong, found.percent, len(heard) - _incomplete(heard), *longest)


def _incomplete(heard: Sequence[RecordedCall]) -> int:
    return sum(not one.complete for one in heard)
