"""Stories: probabilities of 100 ms frames in, facts out."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from speech_server.core.asr.endpointer import EndExpected, Endpointer, Endpointing, Fact, Started, Stopped

RULES = Endpointing(start_history_s=0.3, start_threshold=0.6, stop_history_s=0.4, stop_threshold=1.0)


def play(line: str, rules: Endpointing = RULES) -> list[tuple[int, Fact]]:
    """`#` is a loud frame, `.` a silent one, `~` one between offset and onset; spaces are for the eye."""
    endpointer = Endpointer(rules, 0.1)
    return [(number, fact) for number, fact in facts(endpointer, line) if fact is not None]


def facts(endpointer: Endpointer, line: str) -> Iterable[tuple[int, Fact | None]]:
    probabilities = {"#": 0.9, ".": 0.1, "~": 0.4}
    frames = line.replace(" ", "")
    return [(number, endpointer.push(probabilities[frame])) for number, frame in enumerate(frames)]


def test_silence_is_not_an_utterance() -> None:
    assert play(".... .... ....") == []


def test_one_click_is_not_an_utterance() -> None:
    assert play("...#.......#....") == []


def test_speech_starts_where_its_first_loud_frame_was_and_stops_after_the_silence() -> None:
    assert play("...## ##....") == [(4, Started(3)), (10, Stopped())]


def test_a_start_with_a_gap_reaches_back_over_the_gap() -> None:
    assert play("..#.#") == [(4, Started(2))]


def test_a_click_long_before_does_not_count_towards_the_start() -> None:
    assert play("#...#") == []


def test_a_pause_shorter_than_the_stop_history_goes_on() -> None:
    assert play("## ... ## ...") == [(1, Started(0))]


def test_a_wavering_voice_is_still_speech_but_does_not_begin_it() -> None:
    assert play("~~~~") == []
    assert play("##~~~~~~") == [(1, Started(0))]


def test_the_stop_threshold_lets_a_little_noise_pass_for_silence() -> None:
    rules = replace(RULES, stop_threshold=0.75)
    assert play("## ..#.", rules) == [(1, Started(0)), (5, Stopped())]
    assert play("## ..#.", RULES) == [(1, Started(0))]


def test_the_end_is_expected_after_the_shorter_silence_once_a_pause() -> None:
    rules = replace(RULES, stop_history_eou_s=0.2)
    assert play("## ... ## ....", rules) == [
        (1, Started(0)),
        (3, EndExpected()),
        (8, EndExpected()),
        (10, Stopped()),
    ]


def test_a_shorter_silence_that_is_not_shorter_says_nothing() -> None:
    assert play("## ....", replace(RULES, stop_history_eou_s=0.4)) == [(1, Started(0)), (5, Stopped())]


def test_a_second_utterance_starts_afresh() -> None:
    assert play("##.... .. ##....") == [(1, Started(0)), (5, Stopped()), (9, Started(8)), (13, Stopped())]


def test_a_reset_ends_the_utterance_and_keeps_counting() -> None:
    endpointer = Endpointer(RULES, 0.1)
    list(facts(endpointer, "##"))
    endpointer.reset()
    assert not endpointer.in_speech
    assert [fact for _, fact in facts(endpointer, ".##")] == [None, None, Started(3)]


@pytest.mark.parametrize("frame_s", [0.01, 0.02, 0.032])
def test_a_silence_is_never_called_before_its_history_is_full(frame_s: float) -> None:
    endpointer = Endpointer(Endpointing(stop_history_s=0.2), frame_s)
    while not endpointer.in_speech:
        endpointer.push(1.0)
    silent = 1
    while endpointer.push(0.0) is None:
        silent += 1
    assert 0.2 <= silent * frame_s + 1e-9 < 0.2 + frame_s
