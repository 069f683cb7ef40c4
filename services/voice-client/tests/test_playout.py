"""Stories of a loudspeaker, in seconds. Rate 1000 Hz: one sample is one millisecond."""

import pytest
from voice_client import Playout, ReplyAudio, Report, Turn, TurnEvent


def audio(reply: int, offset: int, count: int, level: int = 5000) -> ReplyAudio:
    return ReplyAudio(reply, offset, level.to_bytes(2, "little", signed=True) * count)


def turn(kind: Turn, reply: int) -> TurnEvent:
    return TurnEvent(kind, reply=reply)


@pytest.fixture
def playout() -> Playout:
    return Playout(1000, prebuffer_s=0.06)


def heard(playout: Playout, count: int, at: float = 0.0) -> int:
    """Samples of reply audio among the next `count`."""
    played = playout.play(count, at)
    assert len(played.pcm16) == 2 * count
    return played.heard_bytes // 2


def test_nothing_is_heard_before_the_prebuffer_is_full(playout: Playout) -> None:
    playout.take(audio(1, 0, 59))
    assert heard(playout, 20) == 0
    playout.take(audio(1, 59, 1))
    assert heard(playout, 20) == 20
    assert heard(playout, 50) == 40


def test_a_reply_that_runs_dry_waits_for_a_full_prebuffer_again(playout: Playout) -> None:
    playout.take(audio(1, 0, 60))
    assert heard(playout, 80) == 60
    playout.take(audio(1, 60, 20))
    assert heard(playout, 20) == 0
    playout.take(audio(1, 80, 40))
    assert heard(playout, 20) == 20


def test_a_reply_shorter_than_the_prebuffer_is_heard_when_it_ended(playout: Playout) -> None:
    playout.take(audio(1, 0, 10))
    assert heard(playout, 20) == 0
    playout.take(turn(Turn.REPLY_ENDED, 1))
    assert heard(playout, 20) == 10
    assert playout.reports(0.1, 7) == [Report(1, 10, 7, final=True)]
    assert playout.is_idle


def test_reports_come_every_200_ms_while_it_plays_and_once_at_the_end(playout: Playout) -> None:
    playout.take(audio(1, 0, 500))
    playout.take(turn(Turn.REPLY_ENDED, 1))
    told: list[tuple[float, Report]] = []
    for tick in range(30):
        now = tick * 0.02
        playout.play(20, now)
        told += [(now, report) for report in playout.reports(now, tick * 320)]
    assert told == [
        (0.0, Report(1, 20, 0)),
        (0.2, Report(1, 220, 3200)),
        (0.4, Report(1, 420, 6400)),
        (0.48, Report(1, 500, 7680, final=True)),
    ]


def test_an_interrupted_reply_is_flushed_and_its_last_report_says_what_was_heard(playout: Playout) -> None:
    playout.take(audio(1, 0, 500))
    assert heard(playout, 100) == 100
    playout.take(turn(Turn.REPLY_INTERRUPTED, 1))
    assert playout.reports(0.1, 1600) == [Report(1, 100, 1600, final=True)]
    assert heard(playout, 100) == 0
    playout.take(audio(1, 500, 100))
    assert heard(playout, 100) == 0
    assert playout.is_idle


def test_a_retracted_reply_was_never_heard(playout: Playout) -> None:
    playout.take(turn(Turn.REPLY_STARTED, 1))
    playout.take(audio(1, 0, 30))
    playout.take(turn(Turn.REPLY_RETRACTED, 1))
    assert playout.reports(0.0, 0) == [Report(1, 0, 0, final=True)]
    playout.take(audio(2, 0, 60))
    assert heard(playout, 60) == 60


def test_a_held_reply_is_silent_until_it_is_resumed_and_loses_nothing(playout: Playout) -> None:
    playout.take(audio(1, 0, 200))
    assert heard(playout, 50) == 50
    playout.take(turn(Turn.REPLY_HELD, 1))
    assert heard(playout, 50) == 0
    playout.take(audio(1, 200, 50))
    playout.take(turn(Turn.REPLY_RESUMED, 1))
    assert heard(playout, 300) == 200


def test_a_held_reply_sends_no_reports_because_nothing_new_was_heard(playout: Playout) -> None:
    playout.take(audio(1, 0, 200))
    playout.play(50, 0.0)
    assert playout.reports(0.0, 0) == [Report(1, 50, 0)]
    playout.take(turn(Turn.REPLY_HELD, 1))
    playout.play(50, 0.5)
    assert playout.reports(0.5, 800) == []


def test_audio_repeated_after_a_resume_is_heard_once(playout: Playout) -> None:
    playout.take(audio(1, 0, 100))
    playout.take(audio(1, 50, 100))
    playout.take(audio(1, 0, 150))
    playout.take(turn(Turn.REPLY_ENDED, 1))
    assert heard(playout, 1000) == 150


def test_replies_are_heard_one_after_another(playout: Playout) -> None:
    playout.take(audio(1, 0, 60, level=1000))
    playout.take(turn(Turn.REPLY_ENDED, 1))
    playout.take(audio(2, 0, 60, level=2000))
    played = playout.play(100, 0.0)
    assert played.audible == ((1, 0.0), (2, 0.06))
    assert playout.reports(0.1, 5) == [Report(1, 60, 5, final=True), Report(2, 40, 5)]


def test_a_reply_the_gateway_forgot_to_end_does_not_hold_up_the_next(playout: Playout) -> None:
    playout.take(audio(1, 0, 60))
    assert heard(playout, 100) == 60
    playout.take(audio(2, 0, 60))
    assert heard(playout, 100) == 60


def test_the_first_audible_sample_is_timed_and_leading_silence_is_not(playout: Playout) -> None:
    playout.take(audio(1, 0, 70, level=50))
    playout.take(audio(1, 70, 70, level=-3000))
    assert playout.play(60, 10.0).audible == ()
    ((reply, at),) = playout.play(60, 10.06).audible
    assert reply == 1
    assert at == pytest.approx(10.07)
    assert playout.play(20, 10.12).audible == ()


def test_ten_minutes_are_buffered_and_no_more() -> None:
    playout = Playout(10)
    playout.take(audio(1, 0, 6001))
    assert playout.buffered_s == 600.0
