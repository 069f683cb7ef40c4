"""Phrases leave as early as they are sure, and no word is lost, doubled or torn."""

import random
import re

import pytest
from voice_gateway.core.phrases import MAX_PHRASE_CHARS, Phraser


def spoken(*tokens: str) -> list[str]:
    """Every phrase of a reply that came in these tokens."""
    phraser = Phraser()
    phrases = [phrase for token in tokens for phrase in phraser.push(token)]
    return phrases + phraser.flush()


def test_a_point_waits_for_the_letter_after_it_and_other_ends_for_nothing() -> None:
    phraser = Phraser()
    assert [phraser.push(token) for token in ("It", " is", " noon", ".", " ", "I")] == [[]] * 5 + [["It is noon."]]
    assert [phraser.push(token) for token in (" know", "!", " Is", " it", "?")] == [[], ["I know!"], [], [], ["Is it?"]]


def test_a_point_at_the_end_of_the_reply_or_of_a_line_waits_no_longer() -> None:
    phraser = Phraser()
    assert (phraser.push("No."), phraser.flush()) == ([], ["No."])
    assert Phraser().push("No.\n") == ["No."]
    assert Phraser().push("Yes!") == ["Yes!"]


@pytest.mark.parametrize(
    "tokens",
    [
        ("Visit example", ".", "com", " today", "."),
        ("See https", ":", "//", "x", ".", "org", "/", "a", "?", "b", "=1", " there", "."),
        ("A Ph", ".", "D", ".", " in physics", "."),
        ("It is No", ".", " ", "5", " here", "."),
        ("On Jan", ".", " ", "3", " we met", "."),
        ("Version v", "2", ".", "0", " is out", "."),
        ("Wir kommen am ", "3", ".", " M", "ai", "."),
        ("Das ist rot bzw", ".", " Gr", "ün", "."),
        ("डॉ", ".", " शर्मा", " आए", "।"),
    ],
)
def test_no_split_cuts_a_name_a_number_or_an_address(tokens: tuple[str, ...]) -> None:
    assert spoken(*tokens) == ["".join(tokens)]


def test_the_first_phrase_may_end_at_a_comma_and_later_ones_may_not() -> None:
    assert spoken("Certainly, sir", ",", " I will.", " After all,", " why not?") == [
        "Certainly, sir,",
        "I will.",
        "After all, why not?",
    ]


def test_a_comma_too_near_the_beginning_does_not_end_the_first_phrase() -> None:
    assert spoken("Well,", " I think so.") == ["Well, I think so."]
    assert spoken("Well then ok,", " I think so.") == ["Well then ok,", "I think so."]


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith and Mrs. Jones met.",
        "Call J. R. Smith now.",
        "It costs 3.5 dollars.",
        "Use fruit, e.g. apples.",
        "You owe them about 1,000,000 dollars.",
        "The meeting begins at 10:30 sharp.",
        "She spoke of St. Louis vs. Boston.",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_points_and_commas_inside_a_sentence_do_not_end_it(sentence: str, size: int) -> None:
    tokens = [sentence[at : at + size] for at in range(0, len(sentence), size)]
    assert spoken(*tokens) == [sentence]


def test_a_number_before_a_point_waits_only_for_the_next_token() -> None:
    phraser = Phraser()
    assert phraser.push("It is 3.") == []
    assert phraser.push(" Then") == ["It is 3."]
    assert phraser.flush() == ["Then"]


def test_a_comma_after_a_number_waits_only_for_the_next_token() -> None:
    phraser = Phraser()
    assert phraser.push("In the year 2000,") == []
    assert phraser.push(" it") == ["In the year 2000,"]


def test_an_abbreviation_at_the_end_of_the_reply_is_flushed() -> None:
    assert spoken("Apples, pears etc.") == ["Apples, pears etc."]


def test_a_new_line_ends_a_phrase_even_after_an_abbreviation() -> None:
    assert spoken("Apples etc.\nNow pears") == ["Apples etc.", "Now pears"]
    assert spoken("One\n\nTwo\n") == ["One", "Two"]


def test_quotes_and_brackets_after_the_point_belong_to_the_sentence() -> None:
    assert spoken('He said "yes." Then he left.') == ['He said "yes."', "Then he left."]
    assert spoken("(He left.) She stayed.") == ["(He left.)", "She stayed."]


def test_a_quote_that_comes_in_a_token_of_its_own_is_not_a_phrase() -> None:
    assert spoken("“Yes!", "”") == ["“Yes!”"]
    assert spoken("Yes!", "”") == ["Yes!"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**Hello** there.", "Hello there."),
        ("# Title\n", "Title"),
        ("Run `make` now.", "Run make now."),
        ("<speak>Hi</speak>.", "Hi."),
        ("A {b} ~~c~~ d.", "A b c d."),
        ("~~No~~ | yes_ or _no_.", "No | yes_ or no."),
    ],
)
def test_markup_is_not_spoken(written: str, said: str) -> None:
    assert spoken(written) == [said]


@pytest.mark.parametrize(
    "text",
    ["Press # and then *.", "Use C#.", "It is <5% risky.", "2 * 3 = 6.", "2*3 is snake_case.", "Dial *67# now."],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_sign_that_means_something_stays(text: str, size: int) -> None:
    assert spoken(*(text[at : at + size] for at in range(0, len(text), size))) == [text]


@pytest.mark.parametrize("text", ["", " ", "...", "**", "\n\n", "—", "?!", "🙂", "😀."])
def test_nothing_is_spoken_without_a_letter_or_digit(text: str) -> None:
    assert spoken(text) == []


def test_long_text_without_punctuation_is_cut_at_a_space() -> None:
    words = ["word"] * 150
    phrases = spoken(*(word + " " for word in words))
    assert all(len(phrase) <= MAX_PHRASE_CHARS for phrase in phrases)
    assert " ".join(phrases).split() == words
    assert len(phrases[0]) > MAX_PHRASE_CHARS - len("word ") - 1


@pytest.mark.parametrize("whole", ["Dr. Ada Smith", "25 km", "$ 5 million", "No. 5", "[our site](https://x.org/a)"])
@pytest.mark.parametrize("before", range(180, 200, 3))
def test_a_long_sentence_is_cut_in_no_name_or_number(whole: str, before: int) -> None:
    text = "and so on it goes " * 20
    phrases = spoken(f"{text[:before].rstrip()} {whole} {text}")
    said = whole.partition("]")[0].lstrip("[")
    assert any(said in phrase for phrase in phrases)
    assert all(len(phrase) <= MAX_PHRASE_CHARS for phrase in phrases)


def test_a_long_sentence_in_one_token_is_cut_too() -> None:
    text = "and so on " * 60 + "until the end."
    phrases = spoken(text)
    assert [len(phrase) <= MAX_PHRASE_CHARS for phrase in phrases] == [True] * 4
    assert " ".join(phrases).split() == text.split()


def test_text_without_any_space_is_cut_at_the_limit() -> None:
    assert [len(phrase) for phrase in spoken("a" * 450)] == [200, 200, 50]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("नमस्ते। आप कैसे हैं? ठीक है।", ["नमस्ते।", "आप कैसे हैं?", "ठीक है।"]),
        ("你好。今天怎么样？很好！", ["你好。", "今天怎么样？", "很好！"]),  # noqa: RUF001
        ("كيف حالك؟ بخير.", ["كيف حالك؟", "بخير."]),
        ("شکریہ۔ پھر ملیں گے۔", ["شکریہ۔", "پھر ملیں گے۔"]),  # noqa: RUF001
    ],
)
def test_sentences_end_in_other_scripts_too(text: str, phrases: list[str]) -> None:
    assert spoken(text) == phrases
    assert [re.sub(r"\s", "", phrase) for phrase in spoken(*text)] == [re.sub(r"\s", "", phrase) for phrase in phrases]


PIECES = [
    "hello", "Dr.", "3.5", "1,000", "10:30", "e.g.", "well,", "yes.", "no!", "why?", '"quoted."', "(aside)", "...",
    "A.", "end.\n", "naïve", "你好。", "हाँ।", "x" * 230, "—", "🙂",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_however_the_tokens_are_split_the_same_words_are_spoken(seed: int) -> None:
    dice = random.Random(seed)
    text = " ".join(dice.choice(PIECES) for _ in range(40))
    tokens, at = [], 0
    while at < len(text):
        size = dice.randint(1, 9)
        tokens.append(text[at : at + size])
        at += size
    phrases = spoken(*tokens)
    assert letters(" ".join(phrases)) == letters(text)
    assert all(len(phrase) <= MAX_PHRASE_CHARS and any(map(str.isalnum, phrase)) for phrase in phrases)


def letters(text: str) -> str:
    """What can be heard of `text`."""
    return "".join(sign for sign in text if sign.isalnum())


def test_no_phrase_begins_or_ends_inside_a_word() -> None:
    text = "The quick brown fox, being quick, jumped over 3.5 lazy dogs. Then it slept. " * 5
    for size in range(1, 12):
        tokens = [text[at : at + size] for at in range(0, len(text), size)]
        assert " ".join(spoken(*tokens)).split() == text.split()
