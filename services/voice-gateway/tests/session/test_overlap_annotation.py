"""Which speech do words belong to, and what was the reply like when it began?"""

from math import inf

from voice_gateway.config_languages import built_in
from voice_gateway.core.backchannels import ReplyMoment
from voice_gateway.core.turn_types import Heard
from voice_gateway.session.overlap_annotation import OverlapAnnotation


class Reply:
    """A reply of which the test says how far it is."""

    def __init__(self) -> None:
        self.now: ReplyMoment | None = None
        self.asked_from: list[int] = []

    def moment(self) -> ReplyMoment | None:
        return self.now

    def echo_words(self, n: int, from_sample: int) -> str:
        self.asked_from.append(from_sample)
        return "your table is booked"


def begun() -> tuple[Reply, OverlapAnnotation]:
    """A call that is silent so far."""
    reply = Reply()
    return reply, OverlapAnnotation(built_in().find("en-US"), reply)


def said(text: str, until: float = inf, *, final: bool = True) -> Heard:
    return Heard(text, final, until=until)


def flags(heard: Heard) -> tuple[bool, bool]:
    return heard.backchannel, heard.echo


PLAYING, ENDING = ReplyMoment(3, 100, left_s=5.0), ReplyMoment(3, 900, left_s=0.5)


def test_words_are_judged_by_the_moment_at_which_their_speech_began() -> None:
    reply, overlaps = begun()
    reply.now = PLAYING
    overlaps.speech_started(10.0)
    reply.now = ENDING
    assert flags(overlaps.annotated(said("mhm", 10.4, final=False), 10.4)) == (True, False)
    overlaps.speech_stopped(10.5)
    reply.now = None
    assert flags(overlaps.annotated(said("mhm", 10.4), 11.0)) == (True, False)


def test_a_late_final_is_not_judged_by_the_speech_that_began_since() -> None:
    reply, overlaps = begun()
    reply.now = PLAYING
    overlaps.speech_started(10.0)
    overlaps.speech_stopped(10.5)
    reply.now = None
    overlaps.speech_started(11.0)
    assert flags(overlaps.annotated(said("mhm", 10.4), 11.1)) == (True, False)
    assert flags(overlaps.annotated(said("yes", 11.4), 11.5)) == (False, False)


def test_without_a_reply_nothing_is_a_backchannel_or_echo() -> None:
    _, overlaps = begun()
    assert flags(overlaps.annotated(said("mhm", 1.0), 1.0)) == (False, False)
    overlaps.speech_started(2.0)
    assert flags(overlaps.annotated(said("your table is booked", 3.0), 3.0)) == (False, False)


def test_words_that_no_detector_told_of_are_judged_by_the_moment_at_which_they_come() -> None:
    reply, overlaps = begun()
    reply.now = PLAYING
    assert flags(overlaps.annotated(said("mh", 0.4, final=False), 0.5)) == (True, False)
    reply.now = ENDING
    assert flags(overlaps.annotated(said("mhm", 0.6), 0.7)) == (True, False)
    assert flags(overlaps.annotated(said("yes", 1.2), 1.3)) == (False, False)


def test_the_next_utterance_of_speech_that_goes_on_is_judged_anew() -> None:
    reply, overlaps = begun()
    reply.now = PLAYING
    overlaps.speech_started(10.0)
    assert flags(overlaps.annotated(said("okay", 10.5), 10.6)) == (True, False)
    reply.now = ENDING
    assert flags(overlaps.annotated(said("okay", 12.0), 12.1)) == (False, False)


def test_the_echo_of_an_utterance_in_pieces_is_looked_for_from_its_beginning() -> None:
    reply, overlaps = begun()
    reply.now = PLAYING
    overlaps.speech_started(10.0)
    overlaps.speech_stopped(10.3)
    reply.now = ENDING
    overlaps.speech_started(10.6)
    assert flags(overlaps.annotated(said("your table is", 11.0), 11.1)) == (False, True)
    overlaps.speech_stopped(11.2)
    overlaps.speech_started(11.3)
    overlaps.annotated(said("booked", 11.8), 11.9)
    assert reply.asked_from == [100, 900]


def test_words_long_after_their_speech_are_judged_like_any_others() -> None:
    reply, overlaps = begun()
    reply.now = PLAYING
    overlaps.speech_started(10.0)
    overlaps.speech_stopped(10.5)
    assert flags(overlaps.annotated(said("mhm", 10.4), 16.0)) == (False, False)


def test_progress_without_words_is_left_as_it_is() -> None:
    reply, overlaps = begun()
    reply.now = PLAYING
    overlaps.speech_started(10.0)
    heard = said("", 10.2, final=False)
    assert overlaps.annotated(heard, 10.2) is heard
