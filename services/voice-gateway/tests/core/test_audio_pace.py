"""How much audio is taken ahead of real time, and what may be made up for?"""

import pytest
from voice_gateway.core.audio_pace import AudioPace


def poured(pace: AudioPace, seconds: float, now: float) -> float:
    """Give it so much audio in pieces of 0.1 s as fast as it is taken; when that is done."""
    for _ in range(round(seconds / 0.1)):
        while wait_s := pace.wait_s(now):
            now += wait_s
        pace.take(0.1)
    return now


def test_a_file_is_taken_at_once_up_to_the_limit_and_then_as_fast_as_it_is_spoken() -> None:
    pace = AudioPace(5.0, 0.0)
    assert poured(pace, 5.0, 0.0) == 0.0
    assert poured(pace, 60.0, 0.0) == pytest.approx(60 / 1.01, abs=0.2)


def test_a_live_stream_never_waits_and_may_have_a_clock_that_is_a_little_fast() -> None:
    pace = AudioPace(5.0, 0.0)
    for n in range(3_600 * 10):
        assert pace.wait_s(n * 0.1 / 1.005) == 0.0
        pace.take(0.1)


def test_what_a_link_held_back_may_come_at_once_but_not_an_hour_of_it() -> None:
    pace = AudioPace(5.0, 0.0)
    assert poured(pace, 13.0, 8.0) == 8.0
    late = AudioPace(5.0, 0.0)
    assert poured(late, 65.0, 3_600.0) == pytest.approx(3_600.0, abs=0.2)
    assert late.wait_s(3_600.0) == pytest.approx(0.1 / 1.01, abs=0.1)
    assert poured(late, 10.0, 3_600.0) > 3_609.0


def test_a_clock_that_goes_back_earns_nothing() -> None:
    pace = AudioPace(1.0, 10.0)
    pace.take(3.0)
    assert pace.wait_s(5.0) == pace.wait_s(10.0) > 1.9
