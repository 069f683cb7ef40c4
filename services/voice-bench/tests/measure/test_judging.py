"""Do the reports judge what was measured, and miss nothing?"""

from dataclasses import replace

from voice_bench.measure import barge_in_report, overhead_report, recordings_report, soak
from voice_bench.measure.barge_in import BargeInOutcome, BargeInStop, upstream
from voice_bench.measure.expected_latency import TurnTimestamps
from voice_bench.measure.gateway_process import GatewayInternals, Kind, Sample
from voice_bench.measure.overhead import Load
from voice_bench.measure.per_call_cost import per_call_mb, threads_per_call
from voice_bench.measure.recordings import RecordedCall, Recording
from voice_bench.measure.soak import SoakResult
from voice_bench.measure.verdict import Verdict

LOAD = Load(Kind.OURS, 10, 3, 0, (2.0, 3.0, 4.0), (3.0,), 1.2, Sample(10, 100.0, 14, 30))
STOP = BargeInStop("caller 1 turn 1", 300.0, 700.0, 20.0, 5, 5, True, 150.0, decided_at=50.0)
HEARD = RecordedCall("a", "go forward ten meters", 1, 1, 2.0, True, 0.1, 0.7, response_s=0.4, decision_s=0.35, turns=1)


def missed(verdicts: list[Verdict]) -> list[str]:
    return [verdict.name for verdict in verdicts if not verdict.met]


def test_a_good_load_beside_a_chain_meets_every_target() -> None:
    chain = replace(LOAD, kind=Kind.BASELINE, added_ms=(1.5, 2.0, 2.5), cpu_percent=1.0)
    steps = [Sample(1, 80.0, 14, 30), Sample(10, 84.0, 14, 30), Sample(20, 88.0, 15, 30)]
    assert missed(overhead_report.verdicts([LOAD, chain], steps)) == []
    assert overhead_report.report([LOAD, chain], steps).met


def test_every_target_of_the_overhead_can_be_missed() -> None:
    chain = replace(LOAD, kind=Kind.BASELINE, added_ms=(0.1, 0.1), cpu_percent=0.1)
    bad = replace(LOAD, added_ms=(20.0, 30.0), cpu_percent=2.0, unmatched=1, failures=("lost",))
    steps = [Sample(10, 84.0, 14, 30), Sample(20, 184.0, 44, 30)]
    assert len(missed(overhead_report.verdicts([bad, chain], steps))) == 9


def test_memory_counts_from_ten_calls_on_where_it_can() -> None:
    assert per_call_mb([Sample(1, 50.0, 1, 30), Sample(10, 84.0, 1, 30), Sample(20, 88.0, 1, 30)]) == 0.4
    assert per_call_mb([Sample(1, 50.0, 1, 30), Sample(3, 51.0, 1, 30)]) == 0.5
    assert per_call_mb([Sample(1, 50.0, 1, 30)]) is None
    assert threads_per_call([Sample(1, 50.0, 10, 30), Sample(11, 51.0, 20, 30)]) == 1.0


def test_a_good_barge_in_meets_every_promise_and_a_missing_one_is_a_miss() -> None:
    outcome = BargeInOutcome((STOP,), 0, 1, 0, {"llm": 0.0, "tts": 0.0}, ())
    assert missed(barge_in_report.verdicts(outcome, 1)) == []
    assert missed(barge_in_report.verdicts(outcome, 2)) == ["replies that were not stopped"]
    assert barge_in_report.report(outcome, 1).met


def test_late_audio_wrong_words_and_requests_that_go_on_are_misses() -> None:
    stop = replace(STOP, decision_ms=450.0, last_audio_after_ms=80.0, heard_words=8, heard_is_prefix=False)
    outcome = BargeInOutcome((stop,), 1, 0, 1, {"llm": 1.0, "tts": 0.0}, ("lost",))
    assert len(missed(barge_in_report.verdicts(outcome, 1))) == 8


def test_requests_count_as_cut_off_in_time_or_late_or_done_by_themselves() -> None:
    def ended(reason: str, at: float) -> dict[str, TurnTimestamps]:
        phrases = [(49.0, "before"), (50.2, "after")]
        return {STOP.tag: TurnTimestamps(llm_end=reason, llm_ended_at=at, phrases=phrases)}

    assert upstream([STOP], ended("abort", 50.1)) == (1, 0, 1)
    assert upstream([STOP], ended("abort", 51.0)) == (1, 1, 1)
    assert upstream([STOP], ended("stop", 49.5)) == (0, 0, 1)
    assert upstream([STOP], ended("stop", 51.0)) == (0, 1, 1)
    assert upstream([replace(STOP, decision_ms=None)], ended("stop", 51.0)) == (0, 0, 0)


def test_a_flat_gateway_passes_and_a_growing_one_does_not() -> None:
    inside = GatewayInternals(11, {"probes": 1}, 1000, 30)
    flat = tuple(Sample(calls, 100.0 + calls % 2, 15, 30) for calls in range(0, 1000, 25))
    assert missed(soak.verdicts(SoakResult(flat, inside, replace(inside, files=31), ()))) == []
    growing = tuple(replace(one, rss_mb=100 + one.calls / 100) for one in flat)
    more = GatewayInternals(12, {"probes": 1, "call": 1}, 1000, 300)
    assert len(missed(soak.verdicts(SoakResult(growing, inside, more, ("lost",))))) == 4
    assert "'call': 1" in soak.report(SoakResult(growing, inside, more, ()), 1000).notes[1]


def test_the_gateway_answers_for_words_it_loses_and_for_calls_that_lack_something() -> None:
    said = [Recording("a", (), "go forward ten meters")]
    alone = {"a": "go forward ten meters"}
    good = recordings_report.report(said, alone, {"one": [HEARD]})
    assert good.met
    silent = replace(HEARD, text="", finals=0)
    bad = recordings_report.report(said, alone, {"one": [silent]})
    assert len(missed(list(bad.verdicts))) == 2
    assert not replace(HEARD, trouble="lost").complete
    slow = recordings_report.report(said, alone, {"one": [replace(HEARD, response_s=0.6, turns=2)]})
    assert len(missed(list(slow.verdicts))) == 2
