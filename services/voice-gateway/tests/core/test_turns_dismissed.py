"""What takes no floor? Stories of backchannels, of the reply's own echo, and of replies that are protected."""

from dataclasses import replace

from turn_player import STARTED, STOPPED, Play, Script, progress, said, saying
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import (
    Action,
    Cause,
    Committed,
    Event,
    Heard,
    HoldReply,
    Interrupted,
    InterruptReply,
    ReplyAudible,
    ReplyEnded,
    ResumeReply,
    RetractReply,
    StartReply,
    Typed,
)

ASKED: Script = [(1.0, STARTED), (2.0, said("tell me a story")), (2.1, STOPPED)]
ANSWERED: tuple[float, Action] = (2.4, StartReply(1, "tell me a story"))
HEARD: Script = [*ASKED, (3.0, ReplyAudible(1))]
HELD: tuple[float, Action] = (4.0, HoldReply(1))
UNDETECTED = Policy(detects=False)
NOTICE = Policy(greets=True, protects_greeting=True)
NOTICED: tuple[float, Action] = (0.0, StartReply(1, "", cause=Cause.GREETING, protected=True))


def mhm(final: bool = False, until: float = 99.0) -> Heard:
    """A backchannel."""
    return Heard("mhm", final, until=until, backchannel=True)


def echo(final: bool = False, until: float = 99.0) -> Heard:
    """The reply as the caller's microphone hears it."""
    return Heard("once upon a time", final, until=until, echo=True)


def test_a_backchannel_leaves_the_reply_the_floor(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.3, mhm()), (4.5, STOPPED), (4.7, mhm(True, 4.5)), (9.0, ReplyEnded(1))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (4.7, ResumeReply(1))]


def test_a_backchannel_whose_final_is_late_waits_no_longer_than_a_cough(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.3, mhm()), (4.5, STOPPED), (5.7, mhm(True)), (9.0, ReplyEnded(1))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (5.0, ResumeReply(1))]


def test_a_backchannel_that_is_heard_through_lets_the_reply_go_on(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.3, mhm()), (4.5, STOPPED), (4.6, progress(4.6)), (9.0, ReplyEnded(1))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (4.75, ResumeReply(1))]


def test_a_long_backchannel_does_not_interrupt(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.3, mhm()), (7.0, STOPPED), (7.2, mhm(True)), (9.0, ReplyEnded(1))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (6.0, ResumeReply(1))]


def test_a_backchannel_that_goes_on_with_words_is_a_barge_in(play: Play) -> None:
    script: Script = [
        (4.0, STARTED),
        (4.3, mhm()),
        (4.6, saying("mhm but wait")),
        (5.0, said("mhm but wait")),
        (5.1, STOPPED),
    ]
    story = play([*HEARD, *script])
    assert story == [ANSWERED, HELD, (4.6, InterruptReply(1)), (5.4, StartReply(2, "mhm but wait"))]


def test_a_backchannel_is_not_answered_when_its_final_comes_after_the_reply(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.3, STOPPED), (4.5, progress(4.4)), (4.9, ReplyEnded(1)), (5.2, mhm(True, 4.3))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (4.55, ResumeReply(1))]


def test_a_reply_that_ends_under_a_backchannel_leaves_nobody_the_floor(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.2, mhm()), (4.4, STOPPED), (4.5, ReplyEnded(1)), (4.6, mhm(True, 4.4))]
    assert play([*HEARD, *script], Policy(resume_after=2.0)) == [ANSWERED, HELD]


def test_a_backchannel_without_detected_speech_changes_nothing(play: Play) -> None:
    script: Script = [(4.0, mhm()), (4.5, mhm(True)), (9.0, ReplyEnded(1))]
    for policy in (Policy(), UNDETECTED):
        assert play([*HEARD, *script], policy) == [ANSWERED]


def test_without_a_detector_words_that_turn_out_a_backchannel_let_the_reply_go_on(play: Play) -> None:
    script: Script = [(4.0, saying("am")), (4.1, mhm()), (4.5, mhm(True)), (9.0, ReplyEnded(1))]
    assert play([*HEARD, *script], UNDETECTED) == [ANSWERED, HELD, (4.5, ResumeReply(1))]


def test_a_backchannel_beside_too_few_words_decides_nothing(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.3, said("oh no")), (4.5, STOPPED), (4.6, mhm(True, 4.4)), (4.8, said("stop"))]
    story = play([*HEARD, *script], Policy(barge_in_words=3))
    assert story[:3] == [ANSWERED, HELD, (4.8, InterruptReply(1))]


def test_too_few_words_after_a_backchannel_are_answered_when_the_reply_ends_under_them(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.2, mhm()), (4.4, saying("mhm no")), (4.5, STOPPED), (4.6, ReplyEnded(1))]
    story = play([*HEARD, *script, (4.7, said("mhm no"))], Policy(barge_in_words=3, resume_after=2.0))
    assert story == [ANSWERED, HELD, (4.8, StartReply(2, "mhm no"))]


def test_a_late_backchannel_does_not_take_back_the_next_reply(play: Play) -> None:
    script: Script = [(4.0, Typed("stop")), (4.2, mhm(True)), (9.0, ReplyEnded(2))]
    assert play([*HEARD, *script]) == [ANSWERED, (4.0, InterruptReply(1)), (4.0, StartReply(2, "stop"))]


def test_under_push_to_talk_a_backchannel_is_said_on_purpose(play: Play) -> None:
    script: Script = [*ASKED, (2.2, Committed()), (3.0, ReplyAudible(1)), (4.0, mhm(True)), (4.5, Committed())]
    story = play(script, Policy(decides=False))
    assert story[-1] == (4.5, StartReply(2, "mhm"))


def test_echo_lets_the_reply_go_on_at_once(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.4, echo()), (4.6, STOPPED), (5.0, echo(True)), (9.0, ReplyEnded(1))]
    assert play([*HEARD, *script]) == [ANSWERED, HELD, (4.4, ResumeReply(1))]


def test_where_echo_is_expected_sound_holds_nothing_and_words_interrupt(play: Play) -> None:
    script: Script = [*HEARD, (4.0, STARTED), (4.4, echo()), (4.6, STOPPED), (5.0, echo(True)), (6.0, STARTED)]
    assert play([*script, (6.1, STOPPED), (7.0, STARTED), (9.9, echo()), (12.0, ReplyEnded(1))]) == [
        ANSWERED,
        HELD,
        (4.4, ResumeReply(1)),
    ]
    story = play([*script, (6.4, echo()), (9.0, saying("wait a moment")), (9.8, said("wait a moment")), (9.9, STOPPED)])
    assert story[3:] == [(9.0, InterruptReply(1)), (10.2, StartReply(2, "wait a moment"))]


def test_where_echo_is_expected_words_that_are_taken_back_do_not_interrupt(play: Play) -> None:
    script: Script = [(4.0, STARTED), (4.1, echo()), (4.2, STOPPED), (5.0, echo(True)), (6.0, STARTED)]
    story = play([*HEARD, *script, (6.1, saying("uh")), (6.15, said("")), (12.0, ReplyEnded(1))])
    assert story == [ANSWERED, HELD, (4.1, ResumeReply(1))]


def test_words_that_only_began_like_the_reply_leave_no_echo_expected(play: Play) -> None:
    script: Script = [*HEARD, (4.0, STARTED), (4.4, echo()), (4.6, saying("once upon a day")), (4.7, STOPPED)]
    again: Script = [(5.0, said("once upon a day")), (6.0, ReplyAudible(2)), (7.0, STARTED)]
    assert (7.0, HoldReply(2)) in play([*script, *again])


def test_echo_is_expected_until_five_replies_came_back_without(play: Play) -> None:
    script: list[tuple[float, Event]] = [*HEARD, (3.5, echo()), (3.9, ReplyEnded(1))]
    for n in range(2, 8):
        at = 10.0 * n
        script += [(at, Typed("more")), (at + 1, ReplyAudible(n)), (at + 2, STARTED), (at + 3, STOPPED)]
        script += [(at + 9, ReplyEnded(n))]
    held = [order.n for _, order in play(script) if isinstance(order, HoldReply)]
    assert held == [6, 7]


def test_echo_that_is_recognised_after_the_reply_is_nobodys_turn(play: Play) -> None:
    script: Script = [*HEARD, (3.5, echo()), (4.0, ReplyEnded(1)), (4.4, echo(True)), (5.0, echo(True))]
    assert play(script) == [ANSWERED]
    assert play([*HEARD, (3.9, STARTED), (4.0, ReplyEnded(1)), (4.2, echo()), (4.4, STOPPED), (4.6, echo(True))]) == [
        ANSWERED,
        (3.9, HoldReply(1)),
    ]


def test_echo_does_not_take_back_the_next_reply(play: Play) -> None:
    script: Script = [(4.0, Typed("stop")), (4.2, echo(True)), (4.3, saying("go", 1.0)), (9.0, ReplyEnded(2))]
    story = play([*HEARD, *script])
    assert story[:3] == [ANSWERED, (4.0, InterruptReply(1)), (4.0, StartReply(2, "stop"))]
    assert story[3] == (4.3, RetractReply(2))


def test_a_protected_greeting_is_heard_whole_and_then_what_was_said_over_it_is_answered(play: Play) -> None:
    script: Script = [
        (0.5, ReplyAudible(1)),
        (1.0, STARTED),
        (1.5, saying("hi")),
        (2.5, said("hi there")),
        (2.7, STOPPED),
    ]
    assert play([*script, (5.0, ReplyEnded(1))], NOTICE) == [NOTICED, (5.0, StartReply(2, "hi there"))]


def test_a_caller_who_speaks_on_after_a_protected_greeting_is_answered_whole(play: Play) -> None:
    script: Script = [(0.5, ReplyAudible(1)), (1.0, STARTED), (2.5, said("hi there")), (3.0, ReplyEnded(1))]
    story = play([*script, (4.0, said("book a table")), (4.1, STOPPED)], NOTICE)
    assert story == [NOTICED, (4.4, StartReply(2, "hi there book a table"))]


def test_a_caller_who_is_faster_hears_a_protected_greeting_all_the_same(play: Play) -> None:
    for first in (STARTED, Typed("hi"), said("hi")):
        assert play([(0.0, first), (0.5, ReplyAudible(1))], NOTICE)[0] == NOTICED
    script: Script = [(0.0, STARTED), (0.4, said("hi")), (0.5, STOPPED), (1.5, ReplyAudible(1)), (5.0, ReplyEnded(1))]
    assert play(script, NOTICE) == [NOTICED, (5.0, StartReply(2, "hi"))]


def test_a_protected_greeting_nobody_has_heard_is_not_taken_back(play: Play) -> None:
    script: Script = [(0.2, saying("hi")), (0.3, said("hi")), (0.5, ReplyAudible(1)), (5.0, ReplyEnded(1))]
    assert play(script, NOTICE) == [NOTICED, (5.0, StartReply(2, "hi"))]


def test_what_is_typed_or_committed_over_a_protected_greeting_is_answered_after_it(play: Play) -> None:
    typed: Script = [(1.0, Typed("hi")), (2.0, Typed("there")), (3.0, ReplyEnded(1))]
    assert play([(0.5, ReplyAudible(1)), *typed], NOTICE) == [NOTICED, (3.0, StartReply(2, "hi there"))]
    committed: Script = [
        (0.5, ReplyAudible(1)),
        (1.0, STARTED),
        (1.5, said("hi")),
        (2.0, Committed()),
        (3.0, ReplyEnded(1)),
    ]
    assert play(committed, NOTICE) == [NOTICED, (3.0, StartReply(2, "hi"))]


def test_a_backchannel_over_a_protected_greeting_is_not_answered(play: Play) -> None:
    script: Script = [(0.5, ReplyAudible(1)), (1.0, STARTED), (1.2, mhm()), (1.5, STOPPED), (1.6, mhm(True))]
    assert play([*script, (5.0, ReplyEnded(1))], NOTICE) == [NOTICED]


def test_the_stop_button_stops_a_protected_greeting(play: Play) -> None:
    before: tuple[Script, ...] = ((), ((0.5, ReplyAudible(1)),), ((0.5, ReplyAudible(1)), (0.7, STARTED)))
    for script in before:
        assert play([*script, (1.0, Interrupted())], NOTICE) == [NOTICED, (1.0, InterruptReply(1))]


def test_only_the_greeting_is_protected(play: Play) -> None:
    story = play([(0.5, ReplyAudible(1)), (2.0, ReplyEnded(1)), (3.0, Typed("hi"))], NOTICE)
    assert story == [NOTICED, (3.0, StartReply(2, "hi"))]
    assert play([(0.5, ReplyAudible(1)), (1.0, STARTED)], replace(NOTICE, protects_greeting=False)) == [
        (0.0, StartReply(1, "", cause=Cause.GREETING)),
        (1.0, HoldReply(1)),
        (3.0, InterruptReply(1)),
    ]
