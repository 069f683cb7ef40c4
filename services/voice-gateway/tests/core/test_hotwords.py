"""How is a list of hotwords read, and how are two of them joined?"""

import pytest
from voice_gateway.core.hotwords import joined, parse


def test_a_list_is_read_by_commas_and_lines() -> None:
    assert parse("Parakeet: 30,  New  York \nRiva:-2.5,, ") == (("Parakeet", 30.0), ("New York", 0.0), ("Riva", -2.5))
    assert parse("") == ()


def test_the_last_colon_parts_phrase_and_boost() -> None:
    assert parse("ISO: 9001: 20") == (("ISO: 9001", 20.0),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Riva: high", "'Riva: high': what follows the colon must be a number"),
        (": 30", "': 30' has no phrase"),
        ("Riva: 1001", "'Riva' has the boost 1001; it must be -1000 to 1000"),
        ("Riva: nan", "'Riva' has the boost nan"),
        ("x" * 101, "a phrase has 101 characters; 100 are the most"),
        (",".join(["x"] * 501), "has 501 phrases; 500 are the most"),
    ],
)
def test_what_is_no_hotword_is_refused_with_the_place(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text)


def test_the_calls_own_boost_wins() -> None:
    assert joined((("riva", 5.0),), (("Riva", 40.0), ("Acme", 1.0))) == (("riva", 5.0), ("Acme", 1.0))
