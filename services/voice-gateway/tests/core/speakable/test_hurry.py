"""Where nobody hears anything, words leave in time, but never a part of something."""

import pytest
from voice_gateway.config_languages import built_in
from voice_gateway.core.speakable_text import SpeakableOptions, SpeakableText


def hurried(text: str, *, tokens: int = 1, now: float = 2.0) -> list[str]:
    """What leaves of `text`, which came at 0 s in so many tokens, when the reply is looked at again."""
    stage = SpeakableText(built_in().spoken("en-US"), "", SpeakableOptions(wait_s=1.0, verbalise="none"))
    size = -(-len(text) // tokens)
    for at in range(0, len(text), size):
        assert stage.push(text[at : at + size], 0.0) == []
    return [phrase.spoken for phrase in stage.hurry(now)]


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("I think that we shou", ["I think that we"]),
        ("I think that we should ", ["I think that we should"]),
        ("I", []),
        ("I thi", []),
        ("I think", []),
        ("I think ", ["I think"]),
        ("we met Peter Sm", ["we met"]),
        ("we met Peter ", ["we met"]),
        ("it costs about 5", ["it costs about"]),
        ("it costs about 5 mil", ["it costs about"]),
        ("it costs about $ 5", ["it costs about"]),
        ("please ask for Dr. Sm", ["please ask for"]),
        ("please look at example.com and", ["please look at example.com"]),
        ("see our [new si", ["see our"]),
        ("see our [new site](https://x.org/a b", ["see our"]),
        ("press # and the", ["press # and"]),
        ("so it is, we", ["so it is,"]),
        ("<think>I wonder what to say", []),
        ("你好我是", []),
    ],
)
@pytest.mark.parametrize("tokens", [1, 3, 50])
def test_whole_words_leave_but_no_part_of_a_name_a_number_or_a_link(text: str, leaves: list[str], tokens: int) -> None:
    assert hurried(text, tokens=tokens) == leaves


def test_nothing_leaves_before_its_time_and_the_time_is_told() -> None:
    stage = SpeakableText(built_in().spoken("en-US"), "", SpeakableOptions(wait_s=1.0))
    assert stage.due_at() is None
    stage.push("I will now tell", 3.0)
    stage.push(" you", 3.5)
    assert stage.due_at() == 4.0
    assert stage.hurry(3.9) == []
    assert [phrase.spoken for phrase in stage.hurry(4.0)] == ["I will now tell"]
    assert stage.due_at() == 4.5
    assert stage.hurry(4.5) == []
    assert stage.due_at() is None, "until more is pushed"
    stage.push(" a story", 6.0)
    assert stage.due_at() == 4.5
    assert [phrase.spoken for phrase in stage.hurry(6.0)] == ["you a"]


def test_what_looks_complete_leaves_whole_when_nothing_more_came_for_as_long() -> None:
    stage = SpeakableText(built_in().spoken("en-US"), "", SpeakableOptions(wait_s=1.0))
    stage.push("I am fine", 0.0)
    stage.push(".", 0.8)
    assert stage.due_at() == 1.0
    assert stage.hurry(1.0) == []
    assert stage.due_at() == 1.8
    assert [phrase.spoken for phrase in stage.hurry(1.8)] == ["I am fine."]
    assert stage.due_at() is None
