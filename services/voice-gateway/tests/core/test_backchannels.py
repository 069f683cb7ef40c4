"""A listener's words leave the speaker the floor, in each language, unless they answer something."""

from math import inf

import pytest
from voice_gateway.config_languages import built_in
from voice_gateway.core.backchannels import BOUNDARY_S, ReplyMoment, holds_question, is_backchannel
from voice_gateway.core.language import Language

MIDDLE = ReplyMoment(1, 16_000, left_s=5.0)


def takes_no_turn(text: str, tag: str = "en-US", moment: ReplyMoment = MIDDLE, *, final: bool = True) -> bool:
    return is_backchannel(text, built_in().find(tag), moment, final=final)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("en-US", "Mhm."),
        ("en-US", "mm-hmm"),
        ("en-US", "Uh-huh, okay."),
        ("en-US", "I see, I see"),
        ("en-US", "OK!"),
        ("en-US", "um"),
        ("en-US", "All right."),
        ("de-DE", "Ja, ja, genau"),
        ("de-AT", "ich verstehe"),
        ("es-US", "sí, claro"),
        ("es-US", "Muy bien."),
        ("hi-IN", "हाँ, ठीक है"),
        ("hi-IN", "जी हाँ"),
    ],
)
def test_words_of_a_listener(tag: str, text: str) -> None:
    assert takes_no_turn(text, tag)
    assert takes_no_turn(text, tag, final=False)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("en-US", "okay but"),
        ("en-US", "no"),
        ("en-US", "stop"),
        ("en-US", "yes please"),
        ("en-US", "I see a problem"),
        ("en-US", "okay okay okay okay okay"),
        ("en-US", "uh"[:0]),
        ("en-US", "..."),
        ("de-DE", "ja aber"),
        ("de-DE", "mhm warte mal"),
        ("es-US", "sí pero no"),
        ("hi-IN", "हाँ लेकिन"),
    ],
)
def test_words_of_a_speaker(tag: str, text: str) -> None:
    assert not takes_no_turn(text, tag)


@pytest.mark.parametrize("text", ["o", "ye", "uh h", "all", "i s", "mhm i", "got"])
def test_a_partial_that_may_become_a_backchannel_is_taken_for_one_and_as_a_final_is_none(text: str) -> None:
    assert takes_no_turn(text, final=False)
    assert not takes_no_turn(text)


@pytest.mark.parametrize("text", ["stop", "o ye", "wait", "i see th"])
def test_a_partial_that_can_become_none_is_a_turn(text: str) -> None:
    assert not takes_no_turn(text, final=False)


def test_at_the_end_of_a_reply_yes_is_an_answer() -> None:
    assert not takes_no_turn("yes", moment=ReplyMoment(1, 0, left_s=BOUNDARY_S))
    assert takes_no_turn("yes", moment=ReplyMoment(1, 0, left_s=BOUNDARY_S + 0.1))
    assert takes_no_turn("yes", moment=ReplyMoment(1, 0, left_s=inf))


def test_after_a_question_yes_is_an_answer() -> None:
    assert not takes_no_turn("yes", moment=ReplyMoment(1, 0, left_s=9.0, asks=True))


def test_a_language_without_a_list_has_no_backchannels() -> None:
    assert not is_backchannel("mhm", Language("xx"), MIDDLE, final=True)
    assert not is_backchannel("mhm", Language("xx"), MIDDLE, final=False)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("is that right? We", True),
        ('he asked "why?" and', True),
        ("*really?*", True),
        ("\u0939\u0948? \u0939\u092e", True),
        ("a fine day. We", False),
        ("", False),
    ],
)
def test_a_question_is_known_by_its_sign(text: str, asks: bool) -> None:
    assert holds_question(text) is asks
