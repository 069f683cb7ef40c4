"""The machine's time stands still while nobody is attached."""

from voice_gateway.session.turn_clock import TurnClock


def test_time_away_does_not_count() -> None:
    now = 100.0
    clock = TurnClock(lambda: now)
    now = 103.0
    assert clock.now() == 3.0
    clock.stop()
    now = 110.0
    clock.stop()  # as a stream does that breaks twice
    assert clock.now() == 3.0
    assert clock.is_stopped
    clock.go_on()
    clock.go_on()
    now = 111.0
    assert clock.now() == 4.0
    assert not clock.is_stopped
