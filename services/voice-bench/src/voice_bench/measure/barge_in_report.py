"""What does the barge-in measurement say? Its table and its verdicts."""

from voice_bench.measure.barge_in import BargeInOutcome
from voice_bench.measure.report import Report, Rows
from voice_bench.measure.statistics import figures, percentile
from voice_bench.measure.verdict import Verdict, at_most, none_of

DECISION_P95_MS = 400.0
LAST_AUDIO_MS = 60.0
WORDS_OFF = 1


def report(outcome: BargeInOutcome, times: int) -> Report:
    """Everything, with a verdict per target."""
    stops = [stop for stop in outcome.stops if stop.decision_ms is not None]
    quantities = {
        "speech began -> held, ms": [stop.decision_ms for stop in stops if stop.decision_ms is not None],
        "speech began -> interrupted, ms": [stop.interrupted_ms for stop in stops if stop.interrupted_ms is not None],
        "held -> last audio at the caller, ms": [stop.last_audio_after_ms for stop in stops],
        "words heard, gateway minus caller": [float(stop.heard_words - stop.played_words) for stop in stops],
        "flushed at the caller, ms": [stop.unplayed_ms for stop in stops],
    }
    rows = tuple((name, len(values), *figures(values)) for name, values in quantities.items())
    table = Rows("barge-ins", ("quantity", "n", "p50", "p95", "p99", "max"), rows)
    notes = (
        f"{outcome.model_cut} requests to the language model were cut off, the others had ended by themselves",
        "speech = recordings that Silero takes for speech within 96 ms, wherever its windows fall",
        *outcome.failures[:5],
    )
    return Report("barge-in: speech at random moments of replies", (table,), tuple(verdicts(outcome, times)), notes)


def verdicts(outcome: BargeInOutcome, times: int) -> list[Verdict]:
    """One per promise."""
    stops = [stop for stop in outcome.stops if stop.decision_ms is not None]
    decision_p95 = percentile([stop.decision_ms for stop in stops if stop.decision_ms is not None], 95)
    latest_ms = max((stop.last_audio_after_ms for stop in stops), default=None)
    words_off = max((abs(stop.heard_words - stop.played_words) for stop in stops), default=None)
    return [
        none_of("replies that were not stopped", times - len(stops)),
        at_most("speech began -> held, p95", decision_p95, DECISION_P95_MS, "ms"),
        at_most("held -> last audio at the caller, worst", latest_ms, LAST_AUDIO_MS, "ms"),
        at_most("words heard, worst difference", words_off, WORDS_OFF, "words"),
        none_of("heard texts that are not the reply's beginning", sum(not stop.heard_is_prefix for stop in stops)),
        none_of("requests to the model that went on", outcome.model_cut_late),
        none_of("phrases sent to TTS after the decision", outcome.spoken_after),
        none_of("requests left at the model and at TTS", int(sum(outcome.running_after.values()))),
        none_of("failed calls", len(outcome.failures)),
    ]
