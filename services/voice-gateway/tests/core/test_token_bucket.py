"""So many at once, so many a second after that."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.token_bucket import TokenBucket


def test_a_burst_is_taken_at_once_and_then_one_after_the_other() -> None:
    allowance = TokenBucket(2.0, 3)
    assert [allowance.take(10.0) for _ in range(3)] == [0, 0, 0]
    assert allowance.take(10.0) == 0.5
    assert allowance.take(10.25) == 0.25
    assert allowance.take(10.5) == 0
    assert allowance.take(10.5) == 0.5


def test_what_is_not_taken_adds_up_to_a_burst_and_no_further() -> None:
    allowance = TokenBucket(2.0, 3)
    allowance.take(0.0, 3)
    assert [allowance.take(1e9) for _ in range(4)] == [0, 0, 0, 0.5]


def test_more_than_a_burst_takes_all_of_it() -> None:
    allowance = TokenBucket(1.0, 3)
    assert allowance.take(0.0, inf) == 0
    assert allowance.take(0.0, inf) == 3


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.floats(0.1, 100), st.integers(1, 20), st.lists(st.floats(0, 3), max_size=60))
def test_in_no_time_more_is_taken_than_a_burst_and_the_rate(rate: float, burst: int, pauses: list[float]) -> None:
    allowance, now, taken = TokenBucket(rate, burst), 0.0, 0
    for pause in pauses:
        now += pause
        wait_s = allowance.take(now)
        taken += not wait_s
        assert 0 <= wait_s <= 1 / rate + 1e-9
        assert taken <= burst + now * rate + 1e-6
    assert allowance.take(now + 1 / rate) == pytest.approx(0, abs=1e-6)
