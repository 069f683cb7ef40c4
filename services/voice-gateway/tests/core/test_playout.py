"""Audio leaves a lead ahead of being heard, and what was heard is known to the word."""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.playout import Playout
from voice_gateway.core.speakable.phrase import plain

RATE_HZ = 1000


def second(seconds: float = 1.0, value: bytes = b"\1\0") -> bytes:
    """Audio of that length."""
    return value * round(seconds * RATE_HZ)


def playing(seconds: float = 1.0, lead_s: float = 0.2, frame_s: float = 0.1) -> Playout:
    """A reply of which that much is made and nothing sent."""
    playout = Playout(RATE_HZ, lead_s, frame_s)
    playout.add(second(seconds))
    return playout


def sent(playout: Playout, now: float) -> list[int]:
    """Where the frames that may leave by `now` begin."""
    offsets = []
    while frame := playout.take(now):
        offsets.append(frame[0])
    return offsets


def test_frames_leave_when_they_are_a_lead_ahead_of_being_heard() -> None:
    playout = playing()
    assert sent(playout, 5.0) == [0, 100, 200]  # the third is heard 0.2 s after it left
    assert playout.next_at() == pytest.approx(5.1)
    assert sent(playout, 5.0999) == []
    assert sent(playout, 5.1001) == [300]
    assert sent(playout, 5.3001) == [400, 500]
    assert playout.played_at() == pytest.approx(5.6)


def test_frames_are_cut_across_the_pieces_as_they_were_made() -> None:
    playout = Playout(RATE_HZ, 10.0, 0.1)
    for size in (30, 200, 5, 40):
        playout.add(second(size / RATE_HZ, bytes([size, 0])))
    frames = []
    while frame := playout.take(0.0):
        frames.append(frame)
    assert [(offset, len(data) // 2) for offset, data in frames] == [(0, 100), (100, 100), (200, 75)]
    assert b"".join(data for _, data in frames) == b"".join(
        second(n / RATE_HZ, bytes([n, 0])) for n in (30, 200, 5, 40)
    )


def test_empty_audio_is_no_frame() -> None:
    playout = Playout(RATE_HZ, 0.2, 0.1)
    playout.add(b"")
    assert playout.take(1.0) is None
    assert (playout.made_samples, playout.waiting_s) == (0, 0.0)


def test_what_is_made_and_what_waits_is_counted() -> None:
    playout = playing(1.0)
    playout.take(0.0)
    assert (playout.sent_samples, playout.made_samples, playout.waiting_s) == (100, 1000, 0.9)


def test_after_an_underrun_the_clock_starts_from_the_moment_audio_leaves_again() -> None:
    playout = playing(0.2)
    sent(playout, 1.0)
    assert playout.heard_samples(3.0) == 200
    playout.add(second(0.5))
    sent(playout, 3.0)
    assert playout.heard_samples(3.0) == 200
    assert playout.heard_samples(3.1) == 300
    assert playout.played_at() == pytest.approx(3.3)


def test_without_reports_the_clock_says_what_was_heard() -> None:
    playout = playing()
    sent(playout, 2.0)
    assert [playout.heard_samples(at) for at in (2.0, 2.05, 2.3, 9.0)] == [0, 50, 300, 300]


def test_a_report_corrects_the_clock_and_playing_goes_on_from_it() -> None:
    playout = playing()
    sent(playout, 2.0)
    playout.report(50, 2.2)
    assert [playout.heard_samples(at) for at in (2.2, 2.3, 9.0)] == [50, 150, 300]


def test_a_final_report_is_the_last_word() -> None:
    playout = playing()
    sent(playout, 2.0)
    playout.report(120, 2.2, final=True)
    playout.report(250, 2.3)
    playout.report(250, 2.4, final=True)
    assert playout.heard_samples(9.0) == 120


def test_a_report_beyond_what_was_sent_counts_as_all_of_it() -> None:
    playout = playing()
    sent(playout, 2.0)
    playout.report(10**9, 2.0)
    assert playout.heard_samples(2.0) == 300
    assert playout.heard_samples(9.0) == 300


def test_a_report_that_goes_back_does_not_take_back_what_was_heard() -> None:
    playout = playing()
    sent(playout, 2.0)
    playout.report(200, 2.2)
    playout.report(10, 2.25)
    assert playout.heard_samples(2.25) == 200
    playout.report(0, 2.3, final=True)
    assert playout.heard_samples(9.0) == 200


def test_an_old_report_does_not_make_audio_heard_that_left_just_now() -> None:
    playout = playing(0.1)
    sent(playout, 1.0)
    playout.report(100, 1.1)
    playout.add(second(0.2))
    sent(playout, 6.0)
    assert [playout.heard_samples(at) for at in (6.0, 6.1, 6.2)] == [100, 200, 300]


def test_what_was_heard_is_known_to_one_word() -> None:
    playout = playing()
    playout.begin_phrase(plain("one two three"))
    for word, end_sample in (("one", 100), ("two", 200), ("three", 300)):
        playout.place_word(word, end_sample)
    sent(playout, 2.0)
    heard = [playout.heard_text(at) for at in (2.0, 2.099, 2.1, 2.199, 2.2, 2.3)]
    assert heard == ["", "", "one", "one", "one two", "one two three"]
    assert playout.spoken_text() == "one two three"


def test_while_a_player_is_paused_nothing_is_heard_and_then_it_goes_on_from_there() -> None:
    playout = playing()
    sent(playout, 2.0)
    playout.pause(2.1)
    playout.pause(2.2)
    assert [playout.heard_samples(at) for at in (2.1, 2.2, 9.0)] == [100, 100, 100]
    assert (playout.is_paused, playout.played_at()) == (True, inf)
    playout.go_on(9.0)
    assert not playout.is_paused
    assert playout.played_at() == pytest.approx(9.2)
    assert [playout.heard_samples(at) for at in (9.0, 9.05, 9.2)] == [100, 150, 300]
    assert sent(playout, 9.0001) == [300]
    assert sent(playout, 9.1001) == [400]
    playout.go_on(9.1)
    assert playout.played_at() == pytest.approx(9.4)


def test_a_player_that_does_not_pause_says_so_and_is_believed() -> None:
    playout = playing()
    sent(playout, 2.0)
    playout.pause(2.1)
    playout.report(250, 2.25)
    assert [playout.heard_samples(at) for at in (2.1, 2.25, 9.0)] == [250, 250, 250]
    playout.go_on(9.0)
    assert playout.played_at() == pytest.approx(9.05)
    playout.pause(9.01)
    playout.report(300, 9.2)
    playout.go_on(10.0)
    assert playout.heard_samples(10.0) == 300
    assert playout.next_at() <= 10.0


def test_a_report_of_before_the_pause_counts_no_time_of_it() -> None:
    playout = playing()
    sent(playout, 2.0)
    playout.report(50, 2.1)
    playout.pause(2.15)
    assert [playout.heard_samples(at) for at in (2.15, 9.0)] == [100, 100]


def test_what_is_paused_before_anything_was_sent_begins_when_it_leaves() -> None:
    playout = playing()
    playout.pause(1.0)
    playout.go_on(5.0)
    assert sent(playout, 6.0) == [0, 100, 200]
    assert playout.heard_samples(6.1) == 100


class Player:
    """The caller's: plays what came without a gap, and pauses when it is told to, or does not. A sample is a tick."""

    def __init__(self, *, obeys: bool) -> None:
        self.obeys = obeys
        self.received = self.played = 0
        self.pauses = False

    def play(self, samples: int) -> None:
        if not (self.pauses and self.obeys):
            self.played = min(self.received, self.played + samples)


PAUSES = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), max_size=6)


@settings(deadline=None, max_examples=40)
@given(PAUSES, st.booleans(), st.booleans(), st.integers(60, 400))
def test_every_sample_leaves_once_in_order_and_the_account_is_the_players(
    pauses: list[tuple[int, int]], obeys: bool, reports: bool, lead_ms: int
) -> None:
    playout, player = Playout(RATE_HZ, lead_ms / 1000, 0.05), Player(obeys=obeys)
    made = bytes(n % 251 for n in range(2 * 1200))
    playout.add(made)
    got, ms = b"", 0
    turns = [ms for pair in pauses for ms in pair]
    flips = {sum(turns[: n + 1]) for n in range(len(turns))}
    while (len(got) < len(made) or player.played < 1200) and ms < 40_000:
        now = 5.0 + ms / 1000
        if ms in flips:
            player.pauses = not player.pauses
            playout.pause(now) if player.pauses else playout.go_on(now)
        while not player.pauses and (frame := playout.take(now + 1e-9)):
            assert frame[0] * 2 == len(got)
            got += frame[1]
            player.received = len(got) // 2
        if reports and ms % 100 == 0:
            playout.report(player.played, now)
        error = playout.heard_samples(now) - player.played
        if obeys:
            assert abs(error) <= 1 + len(pauses), f"{error} samples off after {ms} ms"
        else:  # what it plays in a pause, until it reports
            assert -lead_ms - 50 <= error <= 1 + len(pauses), f"{error} samples off after {ms} ms"
        player.play(1)
        ms += 1
    assert got == made
    assert player.played == 1200
    playout.go_on(5.0 + ms / 1000)
    assert playout.heard_samples(5.1 + ms / 1000 + lead_ms / 1000) == 1200


def test_while_a_reply_is_held_what_was_sent_before_is_still_heard_and_no_more() -> None:
    playout = playing()
    sent(playout, 2.0)  # held from here: nobody takes
    assert playout.heard_samples(7.0) == 300
    assert sent(playout, 7.0) == [300, 400, 500]
    assert playout.heard_samples(7.05) == 350


def test_the_words_of_a_phrase_still_being_made_are_guessed_until_they_are_told() -> None:
    playout = playing(10.0, lead_s=20.0)
    playout.begin_phrase(plain("before"))
    playout.end_phrase()
    playout.begin_phrase(plain("fifteen letters"))  # 16 letters and spaces: a little more than a second
    playout.add(second(0.75))
    sent(playout, 0.0)
    assert [playout.heard_text(at) for at in (10.0, 10.5, 10.6, 99.0)] == [
        "before",
        "before",
        "before fifteen",
        "before fifteen",
    ]
    assert playout.spoken_text() == "before fifteen"
    playout.place_word("fifteen", 10_200)
    assert playout.heard_text(10.3) == "before fifteen"
    playout.end_phrase()
    assert playout.heard_text(99.0) == playout.spoken_text() == "before fifteen letters"


LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=12)


@settings(deadline=None)
@given(LENGTHS, st.booleans(), st.integers(0, 4000), st.integers(20, 500))
def test_the_same_words_are_heard_however_the_end_of_the_hearing_is_known(
    lengths: list[int], timed: bool, at_ms: int, lead_ms: int
) -> None:
    def playing_words() -> Playout:
        playout = Playout(RATE_HZ, lead_ms / 1000, 0.02)
        playout.begin_phrase(plain(" ".join("abcdefghijkl"[:length] for length in lengths)))
        for length in lengths:
            playout.add(second(0.03 * length))
            if timed:
                playout.place_word("abcdefghijkl"[:length], playout.made_samples)
        playout.end_phrase()
        return playout

    interrupted, reported, truncated = playing_words(), playing_words(), playing_words()
    for ms in range(at_ms + 1):
        for playout in (interrupted, reported, truncated):
            while playout.take(7.0 + ms / 1000):
                pass
    now = 7.0 + at_ms / 1000
    cut = interrupted.heard_samples(now)
    reported.report(cut, now + 0.15, final=True)
    truncated.report(10**6, now, final=True)
    truncated.truncate(cut)
    texts = {playout.heard_text(now + after) for playout in (reported, truncated) for after in (0.15, 9.0)}
    assert texts == {interrupted.heard_text(now)}
    assert {playout.heard_samples(now + 9.0) for playout in (reported, truncated)} == {cut}
