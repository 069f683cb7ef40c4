"""Are figures of the metrics read right, and is every missed objective told?"""

from dataclasses import replace
from math import inf

import pytest
from voice_bench.check.fake_backends import find_fake_backends
from voice_bench.check.metrics_delta import GatewayCounters, quantile, read_counters
from voice_bench.check.objectives import Objectives, Observations, judge

PAGE = """# TYPE voice_sessions_started_total counter
voice_sessions_started_total 7.0
# TYPE voice_sessions_refused_total counter
voice_sessions_refused_total{reason="busy"} 1.0
voice_sessions_refused_total{reason="draining"} 2.0
# TYPE voice_failures_total counter
voice_failures_total{failure="llm_timeout"} 4.0
# TYPE voice_turns_total counter
voice_turns_total 20.0
# TYPE voice_gateway_response_latency_seconds histogram
voice_gateway_response_latency_seconds_bucket{le="0.5"} 5.0
voice_gateway_response_latency_seconds_bucket{le="1.0"} 9.0
voice_gateway_response_latency_seconds_bucket{le="+Inf"} 10.0
"""
GOOD = Observations(
    calls=20,
    failed=(),
    responses_s=(0.5,) * 20,
    counters=GatewayCounters(20, 0, 0, 20, {0.5: 20.0, 1.0: 20.0, inf: 20.0}),
    over_tls=True,
    fake_backends=(),
)


def missed(observed: Observations, asked: Objectives | None = None) -> list[str]:
    return [finding.name for finding in judge(observed, asked or Objectives()) if not finding.met]


def test_pages_of_all_pods_are_summed() -> None:
    both = read_counters([PAGE, PAGE])
    assert (both.started, both.refused, both.failures, both.turns) == (14, 6, 8, 40)
    assert both.buckets == {0.5: 10, 1.0: 18, inf: 20}


def test_only_what_came_in_between_counts() -> None:
    before, after = read_counters([PAGE]), read_counters([PAGE, PAGE])
    assert after.since(before) == before


def test_a_gateway_that_restarted_counts_from_its_start() -> None:
    assert read_counters([PAGE]).since(read_counters([PAGE, PAGE])) == read_counters([PAGE])


def test_a_page_that_is_no_gateways_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"name the gateway's HTTP port"):
        read_counters(["up 1\n"])


@pytest.mark.parametrize(
    ("part", "seconds"),
    [(0.25, 0.25), (0.5, 0.5), (0.7, 0.75), (0.9, 1.0), (0.99, 1.0)],
)
def test_a_quantile_is_linear_inside_its_bucket(part: float, seconds: float) -> None:
    assert quantile({0.5: 5.0, 1.0: 9.0, inf: 10.0}, part) == pytest.approx(seconds)


def test_no_observations_have_no_quantile() -> None:
    assert quantile({}, 0.95) is None
    assert quantile({0.5: 0.0, inf: 0.0}, 0.95) is None


def test_a_good_gateway_meets_everything() -> None:
    assert missed(GOOD) == []


@pytest.mark.parametrize(
    ("observed", "name"),
    [
        (replace(GOOD, failed=("no transcript",)), "calls"),
        (replace(GOOD, over_tls=False), "tls"),
        (replace(GOOD, responses_s=(0.5,) * 18 + (3.0, 3.0)), "latency, our calls"),
        (replace(GOOD, responses_s=()), "latency, our calls"),
        (replace(GOOD, counters=replace(GOOD.counters, buckets={1.0: 0.0, 5.0: 9.0, inf: 9.0})), "latency, all calls"),
        (replace(GOOD, counters=replace(GOOD.counters, buckets={})), "latency, all calls"),
        (replace(GOOD, counters=replace(GOOD.counters, failures=1)), "failures"),
        (replace(GOOD, counters=replace(GOOD.counters, refused=1)), "failures"),
        (replace(GOOD, counters=replace(GOOD.counters, started=0)), "failures"),
    ],
)
def test_each_missed_objective_is_named(observed: Observations, name: str) -> None:
    assert missed(observed) == [name]


def test_calls_without_tls_can_be_allowed() -> None:
    assert missed(replace(GOOD, over_tls=False), Objectives(tls=False)) == []


def test_a_fake_backend_never_passes_and_the_rest_is_not_judged() -> None:
    findings = judge(replace(GOOD, fake_backends=("x is a scripted recogniser",)), Objectives())
    assert [(finding.name, finding.met) for finding in findings] == [("backends", False)]
    assert "use Riva and NIM" in findings[0].sentence


@pytest.mark.parametrize(
    "name", ["scripted-asr-streaming", "mini-llm", "moonshine-tiny-en", "eSpeak.en-US.Ann", "English-US.Rob"]
)
def test_fake_backends_are_known_by_name(name: str) -> None:
    (sentence,) = find_fake_backends([name, name])
    assert sentence.startswith(f"{name} is ")


@pytest.mark.parametrize(
    "name", ["parakeet-1.1b-en-US-asr-streaming", "Magpie-Multilingual.EN-US.Aria", "meta/llama-3.1-8b-instruct"]
)
def test_nvidias_names_are_not_taken_for_fakes(name: str) -> None:
    assert find_fake_backends([name]) == []
