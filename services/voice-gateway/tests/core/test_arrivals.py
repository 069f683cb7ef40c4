"""A caller is absent when the next message is overdue, however long its messages are."""

import pytest
from voice_gateway.core.absence import Arrivals


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


def test_a_caller_with_short_messages_is_absent_after_a_second() -> None:
    arrivals, now = after(*[0.02] * 50, jitter_s=0.0)
    assert arrivals.absent_at == pytest.approx(now + 1.0)


def test_a_caller_with_messages_of_a_second_is_absent_half_a_second_after_the_next_was_due() -> None:
    arrivals, now = after(1.0, 1.0, 1.0, jitter_s=0.0)
    assert arrivals.absent_at == pytest.approx(now + 1.5)
