"""What does the quality run say? Word errors, times and CPU by clip and category, and whether that is good enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voice_bench.measure.recordings_report import WORDS_MORE_WRONG
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import percentile
from voice_bench.measure.verdict import Verdict, at_most, none_of
from voice_bench.measure.word_errors import Errors, errors
from voice_bench.speech.quality import STOP_HISTORY_S, Recognition
from voice_bench.speech.thresholds import Thresholds, is_read_english
from voice_bench.speech.timing import Timing

ALL = "all"

Alone = Mapping[Path, str]
"""What the engine heard by itself, by recording."""
_Row = tuple[str | float | int | None, ...]


@dataclass(frozen=True, slots=True)
class QualityRun:
    """Everything that was measured."""

    heard: Sequence[Recognition]
    language: str = "en-US"
    alone: Alone | None = None
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    """Of the server while it heard the recordings of a category."""
    timings: Mapping[str, Timing] = field(default_factory=dict)
    """Of a category's live streams."""

    def of(self, category: str) -> list[Recognition]:
        """The category's recordings."""
        return [one for one in self.heard if category in (ALL, one.spoken.category)]

    @property
    def categories(self) -> list[str]:
        """In their order, and all together."""
        return [*dict.fromkeys(one.spoken.category for one in self.heard), ALL]

    def errors(self, heard: Sequence[Recognition]) -> Errors:
        """Of the server, pooled."""
        return errors([(one.spoken.text, one.text) for one in heard], self.language)

    def wrong_alone(self, heard: Sequence[Recognition]) -> int | None:
        """Of the engine by itself, pooled; None where it was not asked."""
        if self.alone is None:
            return None
        pairs = [(one.spoken.text, self.alone.get(one.spoken.path.absolute(), "")) for one in heard]
        return errors(pairs, self.language).wrong


def report(
    run: QualityRun, engine: str, limits: Thresholds, *, live: bool, words_worse: int = WORDS_MORE_WRONG
) -> Report:
    """With `run.alone` the server may have `words_worse` more words wrong, all recordings together."""
    by_category = Rows(
        "By category; alone: words wrong of the engine by itself; CPU: of the server, for a second of audio",
        ("category", "clips", "words", "wrong", "alone", "WER %", "latency p50 s", "latency p95 s", "RTF", "CPU s/s"),
        tuple(_category(run, name) for name in run.categories),
    )
    by_clip = Rows(
        "By clip",
        ("clip", "category", "words", "wrong", "alone", "WER %", "latency s", "audio s", "heard"),
        tuple(_clip(run, one) for one in run.heard),
    )
    return Report(
        name=f"quality of {engine}, {'live streams' if live else 'whole recordings'}",
        tables=(by_category, *([_live_times(run)] if live else []), by_clip),
        verdicts=tuple([*_word_verdicts(run, limits, words_worse), *(_live_verdicts(run, limits) if live else [])]),
        notes=tuple(_differences(run)),
    )


def _word_verdicts(run: QualityRun, limits: Thresholds, words_worse: int) -> list[Verdict]:
    found = [none_of("recordings refused or without an answer", sum(1 for one in run.heard if one.trouble))]
    for category in run.categories:
        if category in limits.categories:
            rate = run.errors(run.of(category)).rate
            found.append(at_most(f"word error rate, {category}", rate, limits.categories[category], ""))
    read = [one for one in run.heard if is_read_english(one.spoken.category, limits) and one.spoken.text]
    if limits.read_english is not None and read:
        found.append(at_most("pooled word error rate", run.errors(read).rate, limits.read_english, ""))
    wordless = [one for one in run.heard if not one.spoken.text]
    if limits.unspoken is not None and wordless:
        heard = run.errors(wordless).wrong
        found.append(at_most("words heard where nobody spoke", heard, limits.unspoken, "words"))
    worded = [one for one in run.heard if one.spoken.text]
    alone = run.wrong_alone(worded)
    if alone is not None:
        more = run.errors(worded).wrong - alone
        found.append(at_most("words more wrong than the engine alone", more, words_worse, "words"))
    return found


def _live_verdicts(run: QualityRun, limits: Thresholds) -> list[Verdict]:
    read = Timing()
    for category, timing in run.timings.items():
        if is_read_english(category, Thresholds()):
            read.add(timing)
    found = []
    if limits.partial_gap_s is not None:
        longest = max(read.gaps, default=None)
        found.append(at_most("longest speech without a partial", longest, limits.partial_gap_s, "s"))
    if limits.final_s is not None:
        known = percentile([one - STOP_HISTORY_S for one in read.finals], 95)
        found.append(at_most("final after the end of speech is known, p95", known, limits.final_s, "s"))
    return found


def _category(run: QualityRun, name: str) -> _Row:
    heard = run.of(name)
    pooled = run.errors(heard)
    answered = [one for one in heard if not one.trouble]
    audio_s = sum(one.audio_s for one in answered)
    latencies = [one.latency_s for one in answered]
    cpu_s = sum(run.cpu_s.values()) if name == ALL else run.cpu_s.get(name, 0.0)
    words = (pooled.words, pooled.wrong, run.wrong_alone(heard), pooled.percent)
    times = (percentile(latencies, 50), percentile(latencies, 95))
    rtf = sum(latencies) / audio_s if audio_s and not run.timings else None
    return (name, len(heard), *words, *times, rtf, cpu_s / audio_s if run.cpu_s and audio_s else None)


def _clip(run: QualityRun, one: Recognition) -> _Row:
    found = run.errors([one])
    words = (found.words, found.wrong, run.wrong_alone([one]), found.percent)
    return (one.spoken.name, one.spoken.category, *words, one.latency_s, one.audio_s, one.trouble or one.text)


def _live_times(run: QualityRun) -> Rows:
    every = Timing()
    for timing in run.timings.values():
        every.add(timing)
    columns = ("first word p50", "p95", "word p50", "p95", "longest gap", "final p50", "p95", "end known p50", "p95")
    return Rows(
        "Live, s: first word after speech begins; word after it is spoken (estimated); longest speech without a "
        "partial; final after speech ends, and after its end is known",
        ("category", *columns),
        tuple((name, *_times(found)) for name, found in (*run.timings.items(), (ALL, every))),
    )


def _times(found: Timing) -> _Row:
    known = [one - STOP_HISTORY_S for one in found.finals]
    first, word, final, end_known = (
        (percentile(values, 50), percentile(values, 95))
        for values in (found.first_words, found.words, found.finals, known)
    )
    return (*first, *word, max(found.gaps, default=None), *final, *end_known)


def _differences(run: QualityRun) -> list[str]:
    """What the engine alone heard otherwise."""
    texts = [(one, (run.alone or {}).get(one.spoken.path.absolute())) for one in run.heard]
    return [
        f"{one.spoken.category}, {one.spoken.name}: the engine alone heard: {text or '(nothing)'}"
        for one, text in texts
        if text is not None and errors([(one.text, text)], run.language).wrong
    ]
