"""What if the detector hears speech, and the recogniser no word? Stories of noise that lasts."""

from turn_player import STARTED, STOPPED, Play, Script, progress, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Action,
    HoldReply,
    InterruptReply,
    ReplyAudible,
    ReplyEnded,
    ResumeReply,
    RetractReply,
    StartReply,
)

ASKED: Script = [(1.0, STARTED), (2.0, said("book it")), (2.1, STOPPED)]
HEARD: Script = [*ASKED, (3.0, ReplyAudible(1))]
ANSWERED: tuple[float, Action] = (2.4, StartReply(1, "book it"))
HELD: tuple[float, Action] = (4.0, HoldReply(1))


def noise(*seconds: float) -> Script:
    """A recogniser that has heard everything but the last 0.1 s then, and tells no word."""
    return [(at, progress(at - 0.1)) for at in seconds]


def test_noise_over_a_reply_does_not_interrupt_it_where_the_recogniser_hears_no_word(play: Play) -> None:
    script: Script = [(4.0, STARTED), *noise(4.5, 5.0, 5.5, 6.0, 7.0), (9.0, STOPPED), (9.5, ReplyEnded(1))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (6.0, ResumeReply(1))]


def test_words_under_the_noise_interrupt_the_reply_all_the_same(play: Play) -> None:
    script: Script = [(4.0, STARTED), *noise(5.0, 5.9), (7.0, saying("stop")), (8.0, said("stop")), (8.1, STOPPED)]
    assert play([*HEARD, *script])[2:] == [
        (6.0, ResumeReply(1)),
        (7.0, InterruptReply(1)),
        (8.4, StartReply(2, "stop")),
    ]


def test_a_recogniser_that_tells_nothing_may_be_slow(play: Play) -> None:
    script: Script = [(4.0, STARTED), *noise(4.5), (9.0, STOPPED)]
    assert play([*HEARD, *script])[2] == (6.0, InterruptReply(1))


def test_a_turn_ends_although_noise_goes_on_after_its_words(play: Play) -> None:
    """The last word is heard at 2.0; the recogniser is through with the 2 s after it at 4.2."""
    words: Script = [(1.0, STARTED), (2.0, said("book it")), *noise(2.5, 3.0, 3.5, 4.0, 4.2, 4.5)]
    assert play([*words, (30.0, STOPPED)]) == [(4.2, StartReply(1, "book it"))]


def test_a_turn_with_a_partial_ends_under_noise_too(play: Play) -> None:
    words: Script = [(1.0, STARTED), (2.0, saying("book it")), (3.0, saying("book it")), *noise(4.2)]
    more: Script = [(4.5, saying("book it for two")), (4.9, said("book it for two")), (5.0, STOPPED)]
    assert play([*words, *more]) == [
        (4.2, StartReply(1, "book it")),
        (4.5, RetractReply(1)),
        (5.3, StartReply(2, "book it for two")),
    ]


def test_words_that_go_on_are_no_noise(play: Play) -> None:
    words: Script = [(1.0, STARTED), (2.0, said("book it")), *noise(3.0), (3.5, saying("for")), *noise(4.2, 5.0)]
    assert play([*words, (5.2, said("for two")), (5.3, STOPPED)]) == [(5.6, StartReply(1, "book it for two"))]


def test_a_slow_recogniser_is_waited_for_while_the_detector_hears_speech(play: Play) -> None:
    words: Script = [(1.0, STARTED), (2.0, said("book it")), (6.0, said("for two")), (6.1, STOPPED)]
    assert play(words) == [(6.4, StartReply(1, "book it for two"))]


def test_noise_after_a_pause_has_its_own_time(play: Play) -> None:
    script: Script = [*ASKED, (2.3, STARTED), *noise(3.0, 4.2), (4.3, said("for two")), (4.4, STOPPED)]
    assert play(script) == [(4.7, StartReply(1, "book it for two"))]


def test_who_speaks_on_after_an_answer_into_noise_is_heard(play: Play) -> None:
    words: Script = [(1.0, STARTED), (2.0, said("book it")), *noise(4.2)]
    more: Script = [(4.3, saying("for two")), (5.0, said("for two")), (5.1, STOPPED)]
    assert play([*words, *more])[1:] == [(4.3, RetractReply(1)), (5.4, StartReply(2, "book it for two"))]
    heard: Script = [(4.5, ReplyAudible(1)), (6.0, saying("wait")), (6.5, said("wait")), (6.6, STOPPED)]
    assert play([*words, *heard])[1:] == [
        (6.0, HoldReply(1)),
        (6.2, InterruptReply(1)),
        (6.9, StartReply(2, "wait")),
    ]


def test_push_to_talk_knows_no_noise(play: Play) -> None:
    words: Script = [(1.0, STARTED), (2.0, said("book it")), *noise(4.2, 9.0)]
    assert play(words, Policy(decides=False)) == []
