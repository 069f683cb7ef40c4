"""Time stamps of a turn become named latencies."""

import pytest
from voice_gateway.core.timeline import LATENCIES, Mark, Timeline
from voice_gateway.metrics import Metrics


def test_a_latency_needs_both_its_ends() -> None:
    timeline = Timeline({Mark.SPEECH_ENDED: 1.0, Mark.TURN_ENDED: 1.5, Mark.FIRST_TOKEN: 1.75})
    assert timeline.latencies() == {"endpointing_delay": 0.5}


def test_the_first_mark_of_a_kind_counts() -> None:
    timeline = Timeline({})
    timeline.mark(Mark.SPEECH_ENDED, 1.0)
    timeline.mark(Mark.REPLY_LEFT, 2.0)
    timeline.mark(Mark.REPLY_LEFT, 9.0)
    assert timeline.latencies() == {"gateway_response_latency": 1.0}


def test_a_latency_is_never_negative() -> None:
    assert Timeline({Mark.SPEECH_ENDED: 2.0, Mark.ASR_FINAL: 1.0}).latencies() == {"asr_final_latency": 0.0}


def test_the_lag_of_the_recogniser_is_told_where_it_is_known() -> None:
    assert Timeline({}, asr_lag_s=0.25).latencies() == {"asr_lag": 0.25}
    assert Timeline({}, asr_lag_s=0.0).latencies() == {"asr_lag": 0.0}
    assert Timeline({}).latencies() == {}


def test_every_latency_of_a_whole_turn_is_told_and_has_a_metric() -> None:
    timeline = Timeline({mark: float(at) for at, mark in enumerate(Mark)}, asr_lag_s=0.0)
    latencies = timeline.latencies()
    assert set(latencies) == {*LATENCIES, "asr_lag"}
    metrics = Metrics()
    metrics.measured(latencies)
    assert metrics.registry.get_sample_value("voice_llm_ttft_seconds_count") == 1


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("llm_ttft", Mark.LLM_ASKED, Mark.FIRST_TOKEN),
        ("first_phrase_delay", Mark.FIRST_TOKEN, Mark.PHRASE_SENT),
        ("tts_ttfb", Mark.PHRASE_SENT, Mark.FIRST_SOUND),
        ("voice_to_voice", Mark.SPEECH_ENDED, Mark.REPLY_PLAYED),
        ("barge_in_stop", Mark.BARGE_IN_BEGAN, Mark.LAST_HEARD),
    ],
)
def test_a_latency_lies_between_its_marks(name: str, start: Mark, end: Mark) -> None:
    assert Timeline({start: 3.0, end: 3.125}).latencies() == {name: 0.125}
