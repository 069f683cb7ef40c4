"""Is what goes wrong in a call told, in a sentence that helps? One call, judged by expectations that do not hold."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from voice_bench.evals.judging import judge
from voice_bench.evals.moments import Moment
from voice_bench.evals.playing import PlayedCall, play
from voice_bench.evals.scenario import Expectations, Scenario
from voice_bench.evals.scripted_gateway import BadScenario
from voice_bench.evals.truths import broken_truths


def scenario(**more: Any) -> Scenario:
    """A short call: a question, an answer that is interrupted, another answer."""
    return Scenario.model_validate(
        {
            "title": "A test",
            "model": {"answers": [{"say": "One two three four five six seven eight."}, {"say": "Done."}]},
            "caller": [{"say": "count"}, {"when": "reply heard", "after": 1.0, "say": "stop now"}],
            **more,
        }
    )


@cache
def call() -> PlayedCall:
    """It, played."""
    return play(scenario())


def judged(**expect: Any) -> list[str]:
    """What is wrong with it by these expectations."""
    return judge(replace(call(), scenario=scenario(expect=Expectations.model_validate(expect))))


def test_the_call_itself_is_well() -> None:
    assert judged() == []
    assert [moment.event for moment in call().moments].count("reply interrupted") == 1


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({"events": ["link down"]}, "event 1, 'link down', does not come after 0.00 s"),
        ({"events": [{"event": "reply ended", "reply": 1}]}, "does not come after 0.00 s; there is: "),
        ({"events": [{"event": "turn ended", "within": 0.1}]}, "wanted within 0.1 s"),
        ({"events": [{"event": "turn ended", "no_sooner": 9}]}, "wanted no sooner than 9 s"),
        ({"events": [{"event": "turn ended", "within": 0.1, "of": "caller silent"}]}, "s after 'caller silent'"),
        ({"events": [{"event": "turn ended", "within": 1, "of": "link up"}]}, "and 'link up' never before it"),
        ({"events": ["reply interrupted", {"event": "turn ended", "text": "count"}]}, "'turn ended' (text 'count')"),
        ({"absent": ["reply interrupted"]}, "'reply interrupted' must not come, and comes: "),
        ({"absent": [{"event": "turn ended", "before": "reply interrupted"}]}, "'turn ended' must not come"),
        ({"count": {"turn ended": 1}}, "'turn ended' comes 2 times, not 1"),
        ({"at_most": {"model asked": 1}}, "'model asked' comes 2 times, and 1 are the most"),
        ({"history": [{"caller": "count"}]}, 'the history is "count" -> '),
        ({"history": []}, "not empty"),
        ({"heard": "nothing"}, 'the caller heard "One two'),
        ({"ended": "idle"}, "the call ends with 'caller ended', not 'idle'"),
        ({"metrics": {"voice_turns_total": 7}}, "metric voice_turns_total is 2, not 7"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_told(expect: dict[str, Any], told: str) -> None:
    found = judged(**expect)
    assert len(found) == 1
    assert told in found[0]


def test_a_failure_that_nobody_expects_is_told() -> None:
    faulty = scenario(model={"answers": [{"say": "One.", "fault": "refuses"}]})
    assert any("a failure that was not expected" in mistake for mistake in judge(play(faulty)))


def test_a_call_that_does_not_end_is_told() -> None:
    stays = scenario(client={"stays": True}, limit=20)
    assert "the call did not end within 20 s" in judge(play(stays))


def test_what_is_not_true_of_a_call_is_told() -> None:
    good = call()
    first, *others = good.sent
    assert broken_truths(good) == []
    again = replace(good, sent=(first, first, *others))
    assert broken_truths(again) == ["reply 1 has a gap or repeats itself at sample 0"]
    late = replace(good, sent=(*good.sent, replace(first, number=10**6)))
    assert broken_truths(late)[0].startswith("audio of reply 1 comes at")
    twice = replace(good, heard_words=(*good.heard_words, good.heard_words[-1]))
    assert any('"Done." is heard twice in reply 2' in truth for truth in broken_truths(twice))
    forgotten = replace(good, history=(replace(good.history[0], reply="One"), *good.history[1:]))
    assert broken_truths(forgotten)[0].startswith('the history says of reply 1 "One", and the caller heard "One two')
    place = next(place for place, moment in enumerate(good.moments) if moment.event == "reply audible")
    more = Moment(good.moments[place].at, "partial", "count to ten", utterance=99)
    half = replace(good, moments=(*good.moments[:place], more, *good.moments[place:]))
    assert 'without "count to ten", which had been heard' in broken_truths(half)[0]
    two = tuple(m if m.event != "reply interrupted" else replace(m, event="final", text="") for m in good.moments)
    assert any("starts at" in truth for truth in broken_truths(replace(good, moments=two)))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"TURN_END_SILENCE": 1}, "TURN_END_SILENCE is no setting of the gateway"),
        ({"TURN_END_SILENCE_S": -1}, "TURN_END_SILENCE_S: Input should be greater than or equal to 0"),
    ],
)
def test_settings_that_do_not_exist_are_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(BadScenario, match=told):
        play(scenario(settings=settings))
