"""Where is a recording cut? Scores of frames of 100 ms in."""

from itertools import pairwise

import pytest
from speech_server.core.asr.long_audio_split import sections
from speech_server.core.asr.pause_detector import PauseDetector

FRAME_S = 0.1


def scores(*stretches: tuple[float, float]) -> list[float]:
    """(score, seconds) one after the other."""
    return [score for score, length_s in stretches for _ in range(round(length_s / FRAME_S))]


def test_silence_has_no_sections() -> None:
    assert sections(scores((0.1, 60)), FRAME_S, 20) == []


def test_speech_is_one_section_with_a_little_around_it() -> None:
    (one,) = sections(scores((0, 2), (1, 3), (0, 2)), FRAME_S, 20)
    assert one.start_s == pytest.approx(1.5)
    assert one.end_s == pytest.approx(5.5)


def test_sentences_near_each_other_share_a_section_while_they_fit() -> None:
    found = sections(scores(*[(1, 3), (0, 1)] * 6), FRAME_S, 10)
    assert len(found) == 3
    assert all(one.end_s - one.start_s <= 10 for one in found)


def test_a_long_silence_parts_sections() -> None:
    assert len(sections(scores((1, 2), (0, 5), (1, 2)), FRAME_S, 20)) == 2


@pytest.mark.parametrize("pause_s", [0.3, 0.9, 1.0, 1.1, 1.3, 2.5])
def test_nothing_around_a_pause_is_heard_twice(pause_s: float) -> None:
    found = sections(scores((1, 3), (0, pause_s), (1, 3)), FRAME_S, 3.5)
    assert all(one.end_s <= following.start_s + 1e-9 for one, following in pairwise(found))


def test_speech_without_a_silence_is_cut_where_it_is_quietest() -> None:
    found = sections(scores((1, 8), (0.6, 0.2), (1, 8)), FRAME_S, 10)
    assert [round(one.end_s, 1) for one in found] == [8.0, 16.2]


def test_nothing_is_lost_or_heard_twice_in_an_hour_of_talk() -> None:
    found = sections([0.9] * 36_000, FRAME_S, 20)
    assert found[0].start_s == 0
    assert found[-1].end_s == pytest.approx(3600)
    for one, following in pairwise(found):
        assert one.end_s == following.start_s
        assert one.end_s - one.start_s <= 20


def test_a_pause_is_told_once_and_so_is_its_end() -> None:
    watch = PauseDetector(0.05, 0.35)
    told = [watch.push(one) for one in [0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9]]
    assert told == [None, None, None, None, "paused", None, "resumed", None]


def test_a_gap_inside_a_word_is_no_pause() -> None:
    watch = PauseDetector(0.05, 0.35)
    assert {watch.push(one) for one in [0.9, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9]} == {None}
