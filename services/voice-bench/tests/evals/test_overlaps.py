"""Whatever happens in a call: is one reply heard at a time, to a whole question, is the history true, does it end?

The calls are made by strategies of hypothesis, so that one that breaks a truth is told in its shortest form.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from voice_bench.evals.playing import play
from voice_bench.evals.scenario import Scenario
from voice_bench.evals.truths import broken_truths

TIMELINES = int(os.environ.get("TIMELINES", "250"))
"""The same calls each time. TIMELINES=1000 takes one to two minutes: before a change of the turn machine lands."""
_SENTENCES = (
    "book a table",
    "for two people please",
    "no wait",
    "when does the museum open",
    "stop",
    "I would like to [0.4] know",
    "my number is five five [0.8] one two",
    "tell me more",
    "and on Sundays",
    "thank you very much indeed",
)
_ANSWERS = (
    "Yes.",
    "All right, I will see to it.",
    "The museum opens at nine in the morning and closes at six in the evening. On Sundays it opens at ten.",
)


def seconds(least: float, most: float) -> st.SearchStrategy[float]:
    """Multiples of a frame of audio or so: what lies between makes no other story."""
    return st.integers(round(least / 0.03), round(most / 0.03)).map(lambda number: round(number * 0.03, 2))


def one_of(*values: Any) -> st.SearchStrategy[Any]:
    """One of these; the first is the simplest."""
    return st.sampled_from(values)


def step() -> st.SearchStrategy[dict[str, Any]]:
    """Something that a caller does."""
    pause = seconds(0.0, 2.4)
    kinds: dict[str, dict[str, Any]] = {
        "wait": {"wait": seconds(0.1, 3.0)},
        "say": {
            "say": one_of(*_SENTENCES),
            "words_per_minute": one_of(160, 110, 230),
            "meanwhile": one_of(False, True),
        },
        "misunderstood": {"say": one_of(*_SENTENCES), "partial_as": one_of("book a label", "uh")},
        "backchannel": {"say": one_of("mhm", "okay")},
        "cough": {"noise": seconds(0.03, 0.9)},
        "cough with a word": {"noise": seconds(0.1, 0.9), "partial_as": st.just("uh")},
        "type": {"type": one_of("by the river", "two")},
        "interrupt": {"interrupt": st.just(True)},
        "commit": {"commit": st.just(True)},
        "mute": {"mute": seconds(0.3, 2.4)},
        "drop": {"drop_link": seconds(0.1, 3.0)},
        "stall": {"stall_link": seconds(0.1, 3.0)},
    }
    often = [*kinds, "say", "say", "say", "say", "misunderstood", "cough", "backchannel", "type", "interrupt"]
    return one_of(*often).flatmap(lambda kind: st.fixed_dictionaries({**kinds[kind], "after": pause}))


def recogniser() -> st.SearchStrategy[dict[str, Any]]:
    """Quick and right, or late, wrong and away."""
    outage = st.fixed_dictionaries(
        {"at": seconds(0.5, 8.0), "lasts": seconds(0.1, 2.4), "kind": one_of("dies", "hangs")}
    )
    return st.fixed_dictionaries(
        {
            "delay": one_of(0.02, 0.15, 0.4),
            "partials": one_of(0.1, 0.3, 0),
            "final_delay": one_of(0.0, 0.0, 0.3, 0.9, 1.8, 2.6),
            "first_pass_after": one_of(None, 0.15, 0.3),
            "word_times": one_of(True, False),
            "outages": st.one_of(st.just([]), st.just([]), st.lists(outage, max_size=1)),
        }
    )


def model() -> st.SearchStrategy[dict[str, Any]]:
    """One to three answers."""
    answer = st.fixed_dictionaries(
        {
            "say": one_of(*_ANSWERS),
            "first_token": one_of(0.15, 0.02, 0.7, 1.8),
            "tokens_per_second": one_of(60, 8),
            "fault": one_of(None, None, None, None, None, "refuses", "breaks", "says nothing", "hangs", "stalls"),
            "fault_times": one_of(1, 2),
        }
    )
    return st.fixed_dictionaries({"answers": st.lists(answer, min_size=1, max_size=3)})


def voice() -> st.SearchStrategy[dict[str, Any]]:
    """Quick, or slow and with faults; it always tells word times, so that the history can be exact."""
    fault = st.fixed_dictionaries(
        {
            "phrase": st.integers(1, 4),
            "kind": one_of("zero audio", "dies", "hangs", "refuses"),
            "after": seconds(0.0, 0.9),
        }
    )
    return st.fixed_dictionaries(
        {
            "first_audio": one_of(0.08, 0.3, 0.9),
            "faster": one_of(10, 2),
            "faults": st.one_of(st.just([]), st.just([]), st.lists(fault, max_size=1)),
        }
    )


def call_settings() -> st.SearchStrategy[dict[str, Any]]:
    """What an operator may choose."""
    return st.fixed_dictionaries(
        {
            "LLM_FIRST_TOKEN_TIMEOUT_S": st.just(3),
            "LLM_TOKEN_TIMEOUT_S": st.just(2),
            "TTS_AUDIO_TIMEOUT_S": st.just(2),
            "TTS_FIRST_AUDIO_TIMEOUT_S": st.just(2),
            "TURN_PREEMPTIVE": one_of(True, False),
            "TURN_END_SILENCE_S": one_of(0.15, 0.0, 0.6, 1.0),
            "TURN_MAX_SILENCE_S": one_of(1.5, 0.6),
            "TURN_BARGE_IN_AFTER_S": one_of(0.17, 0.5),
            "TURN_END_ON_FINAL": one_of(False, False, True),
            "TURN_IDLE_AFTER_S": one_of(0, 0, 3),
            "GREETING": one_of("", "", "Hello, how may I help you?"),
            "VAD": one_of("silero", "silero", "silero", "none"),
        }
    )


def client() -> st.SearchStrategy[dict[str, Any]]:
    """On a good link or a slow one."""
    return st.fixed_dictionaries(
        {
            "patience": st.just(1.5),
            "message_s": one_of(0.064, 0.02),
            "link_delay": one_of(0.0, 0.0, 0.04, 0.15),
            "reports": one_of(True, True, False),
            "heartbeats": one_of(True, False),
        }
    )


def scenarios() -> st.SearchStrategy[Scenario]:
    """Whole calls."""
    return st.fixed_dictionaries(
        {
            "title": st.just("a random call"),
            "caller": st.lists(step(), min_size=1, max_size=8),
            "client": client(),
            "settings": call_settings(),
            "recogniser": recogniser(),
            "model": model(),
            "voice": voice(),
            "session": st.fixed_dictionaries({"push_to_talk": one_of(False, False, False, False, True)}),
        }
    ).map(Scenario.model_validate)


@pytest.mark.timeout(600)
@given(scenario=scenarios())
@settings(
    max_examples=TIMELINES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_what_is_true_of_every_call(scenario: Scenario) -> None:
    call = play(scenario)
    for moment in call.moments:
        note(str(moment))
    assert call.trouble == ""
    assert broken_truths(call) == []
    told = [moment.reason for moment in call.moments if moment.event == "call ended"]
    assert told in (["caller ended"], ["idle"], ["failed"], ["caller gone"])
