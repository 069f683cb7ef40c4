"""Times of a recognition stream become times of the call, silence of our own left out."""

import pytest
from voice_gateway.core.stream_time import StreamTime


def test_a_stream_begins_where_its_audio_does() -> None:
    assert StreamTime(10.0).call_s(2.5) == 12.5


@pytest.mark.parametrize(
    ("stream_s", "call_s"), [(3.0, 13.0), (4.0, 14.0), (4.5, 14.0), (5.0, 14.0), (6.0, 15.0), (9.5, 17.5), (12.0, 19.0)]
)
def test_silence_of_our_own_takes_no_time(stream_s: float, call_s: float) -> None:
    times = StreamTime(10.0).silenced(14.0, 1.0).silenced(17.5, 2.0)
    assert times.call_s(stream_s) == pytest.approx(call_s)


def test_a_stream_kept_alive_for_hours_remembers_little_and_stays_right() -> None:
    times, sent_s = StreamTime(), 0.0
    for _ in range(1000):
        sent_s += 15.0
        times = times.silenced(sent_s, 0.1)
    assert len(times.silences) == 64
    assert times.call_s(15_000.0 + 100.0 + 2.0) == pytest.approx(15_002.0)
