"""How do words end? Every language of the table, with recognisers that write signs and with those that do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voice_gateway.config_languages import built_in
from voice_gateway.core.endings import ending
from voice_gateway.core.language import Language
from voice_gateway.core.turn_types import Ending

ENDINGS: dict[Ending, dict[str, tuple[str, ...]]] = {
    Ending.ANSWER: {
        "en-US": ("yes", "Yes.", "No!", "Okay", "thank you", "No thanks.", "Stop."),
        "de-DE": ("ja", "Nein.", "ja gerne", "Danke."),
        "es-US": ("sí", "Sí.", "no gracias", "¡Vale!"),
        "hi-IN": ("हाँ", "नहीं।", "ठीक है"),
    },
    Ending.COMPLETE: {
        "en-US": (
            "I would like to book a table.",
            "What is it for?",
            "Who are you looking at?",
            "And?",
            "He said “no.”",
            "I think so.",
            "Come in.",
            "It costs two hundred.",
            "Seven.",
            "42.",
            "At nine thirty.",
            "At 10:30.",
            "It's 2024.",
            "I need 250 of them by five.",
            "My number is 555 123 4567.",
            "My number is five five five. One two three. Four five six seven.",
            "Call me at 555-123-4567.",
            "My email is anna at example dot com.",
            "My email is anna@example.com.",
            "My number is on the card.",
            "I live in the U.S.",
            "Is it 555 1234?",
            "I met anna at school.",
            "Get me plan b.",
            "I like vitamin C.",
            "At 5pm.",
            "That is the point.",
            "It was nineteen ninety nine.",
            "I have twenty five.",
            "4111 1111 1111 1111.",
            "four one one one one one one one two two two two nine nine nine nine.",
            "My number is one five five five one two three four five six seven.",
            "I think so.",
            "Come in.",
        ),
        "de-DE": (
            "Ich möchte einen Tisch bestellen.",
            "Mach das Licht an.",
            "Kommst du mit?",
            "Sieben.",
            "Es sind fünfundzwanzig.",
            "Meine Nummer ist null eins sieben sechs eins zwei drei vier fünf sechs sieben acht.",
        ),
        "es-US": ("Quiero reservar una mesa.", "¿Qué hora es?", "Siete.", "Tengo treinta y cinco."),
        "hi-IN": ("मुझे एक टेबल चाहिए।", "दिल्ली में।", "कितने बजे हैं?"),
    },
    Ending.UNKNOWN: {
        "en-US": ("", "...", "book a table", "i think so", "seven", "at nine thirty", "my number is 555 123 4567"),
        "de-DE": ("ich möchte einen tisch bestellen", "mach das licht an", "das kann ich nicht"),
        "es-US": ("quiero reservar una mesa para mañana",),
        "hi-IN": ("मुझे एक टेबल चाहिए", "दिल्ली में"),
        "xx-YY": ("and", "um", "five five five"),
    },
    Ending.INCOMPLETE: {
        "en-US": (
            "I would like to book a table and",
            "I would like to book a table and.",
            "I want the",
            "Because.",
            "um",
            "I would like, um.",
            "Let me see.",
            "Ten of.",
            "book a table,",
            "book a table -",
            "I was thinking...",
            "I was thinking…",
            "book a table for",
            "i want to",
            "this is mr.",
        ),
        "de-DE": ("Ich möchte einen Tisch und", "weil.", "ähm", "Ich hätte gern eine", "das ist der"),
        "es-US": ("Quiero una mesa para.", "quiero reservar una mesa y", "este", "la mesa de"),
        "hi-IN": ("मुझे एक टेबल चाहिए और", "लेकिन।", "क्योंकि"),
        "xx-YY": ("book a table,",),
    },
    Ending.READING_OUT: {
        "en-US": (
            "my number is",
            "My number is.",
            "My number is five.",
            "my number is five five five",
            "My number is five five five. One two three.",
            "My number is 555.",
            "My number is 555-123.",
            "My number is, um, 555.",
            "My number is five five five, uh, one two three.",
            "my pin is 4",
            "five five five",
            "Five, five, five.",
            "5 5 5.",
            "5-5-5.",
            "555.",
            "It's 555 123.",
            "triple five",
            "one two double",
            "five twenty one thirty",
            "4111 1111 1111.",
            "four one one one one one one one two two two two",
            "b r o w n",
            "B-R-O.",
            "That's spelled b.",
            "my code is AB12",
            "b as in",
            "b as in boy.",
            "anna at example dot",
            "Anna dot Smith at Example.",
            "my email is anna",
            "My email is Anna at.",
            "my e-mail is anna@example.",
            "anna underscore",
            "double",
        ),
        "de-DE": (
            "Meine Nummer ist null eins sieben.",
            "meine nummer ist",
            "null eins sieben sechs",
            "einundzwanzig fünfunddreißig vierzig",
            "n wie nordpol",
            "meine mail ist anna punkt",
        ),
        "es-US": (
            "Mi número es cinco cinco.",
            "cinco cinco cinco",
            "anna arroba ejemplo punto",
            "treinta y cinco cuarenta doce",
        ),
        "hi-IN": ("मेरा नंबर है नौ आठ", "नौ आठ सात।", "एना एट"),
    },
}
CASES = [(tag, text, kind) for kind, tags in ENDINGS.items() for tag, texts in tags.items() for text in texts]


@pytest.mark.parametrize(("tag", "text", "kind"), CASES)
def test_words_end_so(tag: str, text: str, kind: Ending) -> None:
    assert ending(text, built_in().find(tag)) is kind


def test_a_dictated_number_is_under_way_until_its_last_digit() -> None:
    """As a recogniser says it that puts a full stop after every stretch of speech, and as one that writes digits."""
    english = built_in().find("en-US")
    for parts in (("My number is 5, 5, 5.", "1, 2, 3.", "4, 5, 6, 7."), ("my number is 555", "123", "4567")):
        said = [" ".join(parts[: n + 1]) for n in range(3)]
        assert [ending(text, english) for text in said[:2]] == [Ending.READING_OUT] * 2
        assert ending(said[2], english) in (Ending.COMPLETE, Ending.UNKNOWN)


def test_other_words_after_a_number_end_it() -> None:
    assert ending("My number is 555 123. Thank you.", built_in().find("en-US")) is Ending.COMPLETE


@given(st.text(max_size=300), st.sampled_from(["en-US", "de-DE", "es-US", "hi-IN", "xx"]))
def test_any_text_ends_somehow(text: str, tag: str) -> None:
    assert ending(text, built_in().find(tag)) in Ending


@given(st.lists(st.sampled_from(["five", "zero", "oh", "nine", "7", "42"]), min_size=3, max_size=8))
def test_rows_of_less_digits_than_a_number_has_are_under_way(digits: list[str]) -> None:
    count = sum(2 if digit == "42" else 1 for digit in digits)
    found = ending("my number is " + " ".join(digits), built_in().find("en-US"))
    assert (found is Ending.READING_OUT) == (count < 10 or 11 < count < 16)


def test_a_language_without_words_judges_signs_alone() -> None:
    assert ending("Book a table.", Language("xx")) is Ending.COMPLETE
    assert ending("yes", Language("xx")) is Ending.UNKNOWN
