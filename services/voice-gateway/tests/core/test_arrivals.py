"""A caller is absent when the next message is overdue, however long its messages are."""

import pytest
from voice_gateway.core.absence import Arrivals, Gap


def after(*lengths_s: float, jitter_s: float = 0.02) -> tuple[Arrivals, float]:
    """Messages in real time, each a little late; what is known at the end, and when that is."""
    arrivals, now = Arrivals(), 10.0
    for number, length_s in enumerate(lengths_s):
        now += length_s
        late_s = jitter_s * (number % 2)
        assert number == 0 or now + late_s < arrivals.absent_at, "absent in the midst of speech"
        arrivals = arrivals.arrived(now + late_s, length_s)
    return arrivals, now


@pytest.mark.parametrize("length_s", [0.02, 0.06, 0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("jitter_s", [0.02, 0.3])
def test_no_message_length_makes_a_caller_absent_who_speaks(length_s: float, jitter_s: float) -> None:
    after(*[length_s] * 100, jitter_s=jitter_s)


def test_changing_lengths_do_neither() -> None:
    after(*[0.02, 0.02, 1.0, 0.1, 0.5, 1.0, 0.02] * 10)


def test_a_caller_with_short_messages_is_absent_after_the_longest_message_there_may_be() -> None:
    arrivals, now = after(*[0.02] * 50, jitter_s=0.0)
    assert arrivals.absent_at == pytest.approx(now + 1.2)


def test_a_caller_with_messages_of_a_second_is_absent_half_a_second_after_the_next_was_due() -> None:
    arrivals, now = after(1.0, 1.0, 1.0, jitter_s=0.0)
    assert arrivals.absent_at == pytest.approx(now + 1.5)


@pytest.mark.parametrize("late_s", [0.0, 0.02, 0.1])
def test_the_first_long_message_after_short_ones_makes_nobody_absent(late_s: float) -> None:
    arrivals, now = after(*[0.02] * 50, jitter_s=0.0)
    assert now + 1.0 + late_s < arrivals.absent_at


def test_a_gap_closes_when_what_was_kept_has_come() -> None:
    gap = Gap(since=10.0)
    assert gap.left(13.0) == gap, "the link is still down"
    gap = gap.moves(13.0)
    assert gap.left(13.1) == gap
    gap = gap.moves(13.1, 1.5).moves(13.2, 1.2)
    assert gap.left(13.2) == gap
    assert gap.moves(13.3, 0.4).left(13.3) is None


def test_a_caller_who_kept_nothing_is_back_soon() -> None:
    gap = Gap(since=10.0).moves(13.0)
    for step in range(1, 12):
        gap = gap.moves(13.0 + step * 0.1, 0.1)
        assert gap.left(13.0 + step * 0.1) == gap
    assert gap.moves(14.21, 0.1).left(14.21) is None


def test_a_slow_link_is_waited_for_as_long_as_the_gap_gets_smaller() -> None:
    """Five seconds are missing and come at twice the speed of speech."""
    left: Gap | None = Gap(since=10.0).moves(15.0)
    now = 15.0
    while left is not None and now < 30.0:
        now += 0.1
        left = left.moves(now, 0.2).left(now)
    assert now == pytest.approx(19.8, abs=0.11)
