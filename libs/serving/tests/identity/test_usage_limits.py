"""A caller has so much and no more, whatever it tries at once and however many others there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving.identity.usage_limits import DAY_S, HOUR_S, MINUTE_S, BadLimits, SlidingWindow, Usage, UsageLimits


def test_calls_at_once_are_bounded_for_each_caller() -> None:
    usage, limits = Usage(), UsageLimits(calls=2)
    tries = [usage.begin("anna", limits, 0.0) for _ in range(200)]
    assert [refused is None for refused in tries] == [True, True] + [False] * 198
    assert "all 2 calls" in str(tries[2])
    assert usage.begin("berta", limits, 0.0) is None
    usage.end("anna", 0.0)
    assert usage.begin("anna", limits, 0.0) is None
    assert (usage.calls("anna"), usage.calls("berta"), usage.calls("nobody")) == (2, 1, 0)


def test_calls_in_a_minute_are_bounded_and_the_wait_is_true() -> None:
    usage, limits = Usage(), UsageLimits(calls_per_minute=3)
    now = 30.0
    for _ in range(3):
        assert usage.begin("anna", limits, now) is None
        usage.end("anna", now)
    refused = usage.begin("anna", limits, now)
    assert refused
    assert "3 calls that you may begin here in a minute" in refused.sentence
    assert usage.begin("anna", limits, now + refused.retry_after_s - 0.01)
    assert usage.begin("anna", limits, now + refused.retry_after_s + 0.01) is None


def test_a_refused_call_counts_for_nothing() -> None:
    usage, limits = Usage(), UsageLimits(calls=1, calls_per_minute=2)
    assert usage.begin("anna", limits, 0.0) is None
    assert all(usage.begin("anna", limits, 0.0) for _ in range(50))
    usage.end("anna", 0.0)
    assert usage.begin("anna", limits, 0.0) is None


@pytest.mark.parametrize(
    ("limits", "window_s"), [(UsageLimits(audio_s_per_hour=100), HOUR_S), (UsageLimits(audio_s_per_day=100), DAY_S)]
)
def test_audio_is_bounded_within_a_window(limits: UsageLimits, window_s: float) -> None:
    usage = Usage()
    usage.heard("anna", 99.0, limits, 0.0)
    assert usage.audio_exceeded("anna", limits, 0.0) is None
    assert usage.begin("anna", limits, 0.0) is None
    usage.heard("anna", 1.0, limits, 0.0)
    exceeded = usage.begin("anna", limits, 0.0)
    assert exceeded
    assert "100 s of audio" in exceeded.sentence
    assert usage.audio_exceeded("berta", limits, 0.0) is None
    assert usage.audio_exceeded("anna", limits, window_s + 1) is None


def test_typed_turns_are_bounded_within_a_minute() -> None:
    usage, limits = Usage(), UsageLimits(typed_turns_per_minute=2)
    assert [usage.typed("anna", limits, 1.0) is None for _ in range(4)] == [True, True, False, False]
    assert usage.typed("anna", UsageLimits(), 1.0) is None
    assert usage.typed("anna", limits, 2 * MINUTE_S) is None


def test_nothing_that_counts_is_forgotten_however_many_callers_come() -> None:
    usage, limits = Usage(most_identities=50), UsageLimits(calls=1, calls_per_minute=5, audio_s_per_day=10)
    assert usage.begin("in a call", limits, 0.0) is None
    usage.heard("spent", 10.0, limits, 0.0)
    refused = 0
    for number in range(1000):
        if usage.begin(f"caller {number}", limits, 0.0) is None:
            usage.end(f"caller {number}", 0.0)
        else:
            refused += 1
        assert len(usage) <= 50
    assert refused == 952
    # Three minutes later those are forgotten of whom nothing counts any more; the other two never were.
    for number in range(1000):
        now = 200.0 + number * 3.0
        assert usage.begin(f"later {number}", limits, now) is None
        usage.end(f"later {number}", now)
        assert len(usage) <= 50
        assert usage.begin("in a call", limits, now)
        assert usage.begin("spent", limits, now)


def test_of_what_no_limit_counts_nothing_is_remembered() -> None:
    usage, limits = Usage(most_identities=10), UsageLimits(calls=2)
    for number in range(100):
        assert usage.begin(f"caller {number}", limits, 0.0) is None
        usage.heard(f"caller {number}", 60.0, limits, 0.0)
        assert usage.typed(f"caller {number}", limits, 0.0) is None
        usage.end(f"caller {number}", 0.0)
    assert len(usage) == 0


amounts = st.lists(st.tuples(st.floats(0, 90), st.floats(0, 5)), max_size=60)


@given(amounts)
def test_a_window_never_lets_more_through_than_twice_its_limit_and_its_wait_is_enough(
    steps: list[tuple[float, float]],
) -> None:
    window, now, taken = SlidingWindow(MINUTE_S), 0.0, list[tuple[float, float]]()
    for pause, amount in steps:
        now += pause
        if wait := window.wait_s(10.0, now):
            assert 0 < wait <= 2 * MINUTE_S
            assert window.used(now + wait + 1e-6) <= 10.0 + 1e-6
            now += wait + 1e-6
        window.add(amount, now)
        taken.append((now, amount))
        assert sum(amount for at, amount in taken if at > now - MINUTE_S) <= 20.0 + 2 * 5.0


def test_a_clock_that_goes_back_gives_nothing_back() -> None:
    window = SlidingWindow(MINUTE_S)
    window.add(5, 100.0)
    assert window.used(40.0) == 5


def test_limits_may_be_overridden_by_a_claim() -> None:
    operators = UsageLimits(calls=1, calls_per_minute=10)
    assert operators.overridden({"calls": 5, "audio_s_per_day": 60}) == UsageLimits(5, 10, audio_s_per_day=60)
    assert operators.overridden({}) == operators


@pytest.mark.parametrize("value", ["5", -1, True, None, float("nan"), 1e300, [1]])
def test_a_claim_whose_values_are_no_numbers_is_refused(value: object) -> None:
    with pytest.raises(BadLimits):
        UsageLimits().overridden({"calls": value})


@pytest.mark.parametrize("claim", [None, 5, "calls", [], {"call": 1}])
def test_a_claim_that_says_no_limits_is_refused(claim: object) -> None:
    with pytest.raises(BadLimits):
        UsageLimits().overridden(claim)
