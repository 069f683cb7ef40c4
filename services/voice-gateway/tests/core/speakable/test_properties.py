"""Whatever a model writes and however it is cut: nothing speakable is lost, nothing unspeakable gets out."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as some
from voice_gateway.config_languages import built_in
from voice_gateway.core.speakable.thought_filter import Opening, ThoughtFilter
from voice_gateway.core.speakable_text import SpeakableOptions, SpeakableText

HOLD = settings(max_examples=100, deadline=None, derandomize=True)
PLAIN = SpeakableOptions(verbalise="none")

_WORDS = """
well Dr. Smith 3.5 1,000 10:30 e.g. apples naïve 你好。 हाँ। U.S. No. 5 example.com bob@x.org C# #1 *67# 2 * 3 <5% < a_b
snake_case R&D AC/DC x^2 ~5 v2.0 Ph.D. Jan. 3. Mai bzw. usw. $5 St. (aside) “quoted.” — yes! why? so, end. ... go:
"""
_UNITS = "km kg m h °C million am pm st th rd EUR USD Uhr Mai January No. Nr. der e E inf nan"
WORDS = some.sampled_from(_WORDS.split())
_MARKED = r"""
**bold**, *it*, __strong__, _em_, ~~gone~~, `code`,
[site](https://x.org/a), <b>bold</b>, <br/>, &amp;, 👍🏽, 😊, <|eot_id|>,
</s>,
<0x0A>, [INST], <end_of_turn>, <think>Hm. So.</think>, \n# Title\n, \n- item\n, \n1. first\n2. second\n, \n> quote\n,
\n| a | b |\n|---|---|\n, \n```py\nx\n```\n
"""
MARKED = some.sampled_from([one.strip().replace("\\n", "\n") for one in _MARKED.split(",")])
TEXT = some.lists(WORDS, min_size=1, max_size=25).map(lambda words: " ".join(["well", *words]))
MARKED_TEXT = some.lists(some.one_of(WORDS, MARKED), min_size=1, max_size=25).map(
    lambda words: " ".join(["well", *words])
)
CUTS = some.lists(some.integers(1, 9), min_size=1, max_size=40)


def cut(text: str, sizes: list[int]) -> list[str]:
    """`text` as tokens of these sizes, again and again."""
    tokens: list[str] = []
    at = 0
    while at < len(text):
        size = sizes[len(tokens) % len(sizes)]
        tokens.append(text[at : at + size])
        at += size
    return tokens


def told(tokens: list[str], manner: SpeakableOptions = PLAIN) -> tuple[list[str], str]:
    """What the voice is given, and what enters the history."""
    stage = SpeakableText(built_in().spoken("en-US"), "", manner)
    phrases = [phrase for token in tokens for phrase in stage.push(token, 0.0)] + stage.flush()
    return [phrase.spoken for phrase in phrases], stage.text


def letters(text: str) -> str:
    """What can be heard of `text`, and the signs that mean something."""
    return "".join(sign for sign in text if sign.isalnum() or sign in "#%&$")


@HOLD
@given(TEXT, CUTS)
def test_of_text_without_markup_no_letter_is_lost_or_doubled(text: str, sizes: list[int]) -> None:
    phrases, kept = told(cut(text, sizes))
    assert kept == text
    assert letters("".join(phrases)) == letters(text)


@HOLD
@given(MARKED_TEXT, CUTS)
def test_any_way_to_cut_the_tokens_makes_the_same_phrases(text: str, sizes: list[int]) -> None:
    assert told(cut(text, sizes)) == told([text])


@HOLD
@given(MARKED_TEXT, CUTS)
@example("[a. b](http://x.y/z?a=b!c) and", [1])
def test_no_markup_token_picture_or_thought_gets_out(text: str, sizes: list[int]) -> None:
    phrases, kept = told(cut(text, sizes))
    spoken = " ".join(phrases)
    assert not re.search(r"\*\*|__|~~|`|\]\(|</?\w+/?>|<\||&amp;|\[INST|0x0A|\|--|^#\s|https|x\.org/a|Hm\. So", spoken)
    assert not re.search("[\U0001f300-\U0001faff\ufe0f\u200d]", spoken)
    assert not re.search(r"<\||</s>|0x0A|\[INST|think>|Hm\. So", kept)


@HOLD
@given(MARKED_TEXT, CUTS)
def test_what_is_written_and_what_is_spoken_go_together(text: str, sizes: list[int]) -> None:
    stage = SpeakableText(built_in().spoken("en-US"), "", SpeakableOptions())
    phrases = [phrase for token in cut(text, sizes) for phrase in stage.push(token, 0.0)] + stage.flush()
    assert letters("".join(phrase.written for phrase in phrases)) == letters("".join(told([text])[0]))
    assert all(any(map(str.isalnum, phrase.spoken)) for phrase in phrases)


@HOLD
@given(some.text(max_size=60), CUTS)
def test_text_without_any_tag_passes_the_filter_of_thoughts_unchanged(text: str, sizes: list[int]) -> None:
    text = re.sub(r"[<\[◁]", "", text)
    filtered = ThoughtFilter()
    assert "".join(filtered.push(token).text for token in cut(text, sizes)) + filtered.flush().text == text


@HOLD
@given(some.text("<>/|[]think INST_sx0A◁▷", max_size=60), CUTS)
def test_no_text_breaks_the_filter_of_thoughts_and_cutting_changes_nothing(text: str, sizes: list[int]) -> None:
    def said(tokens: list[str]) -> str:
        filtered, out = ThoughtFilter(), ""
        for one in [*map(filtered.push, tokens), filtered.flush()]:
            out = one.text if one.retracts else out + one.text
        return out

    assert said(cut(text, sizes)) == said([text])


@HOLD
@given(some.text(max_size=300), CUTS, some.sampled_from(["en-US", "de-DE", "fr-FR", "hi-IN", "ja-JP", "", "x", "../y"]))
def test_no_text_and_no_language_breaks_the_stage(text: str, sizes: list[int], language: str) -> None:
    for verbalise in ("auto", "words", "none"):
        stage = SpeakableText(built_in().spoken(language), "", SpeakableOptions(verbalise=verbalise))
        for token in cut(text, sizes):
            stage.push(token, 0.0)
        stage.flush()


@HOLD
@given(TEXT, CUTS, some.integers(1, 5))
def test_hurrying_loses_nothing_and_never_cuts_inside_a_word(text: str, sizes: list[int], every: int) -> None:
    stage, phrases, now = SpeakableText(built_in().spoken("en-US"), "", PLAIN), [], 0.0
    for number, token in enumerate(cut(text, sizes)):
        now += 0.5
        phrases += stage.push(token, now)
        if number % every == 0:
            phrases += stage.hurry(now)
    phrases += stage.flush()
    spoken = [word for phrase in phrases for word in phrase.spoken.split()]
    assert letters("".join(spoken)) == letters(text)
    whole = set(text.split())
    assert all(word in whole for word in spoken if len(word) > 1 and word not in ("你好。", "हाँ।"))


def test_a_model_that_always_thinks_first_says_nothing_before_its_closing_tag() -> None:
    held = SpeakableOptions(opening=Opening.THOUGHT)
    assert told(["I think. So", " do I.</think>Yes."], held)[0] == ["Yes."]
    assert told(["I think. And think."], held) == ([], "")


def test_one_that_did_so_before_is_held_but_nothing_is_lost() -> None:
    held = SpeakableOptions(opening=Opening.PERHAPS_THOUGHT)
    assert told(["I think. So", " do I.</think>Yes."], held)[0] == ["Yes."]
    stage = SpeakableText(built_in().spoken("en-US"), "", held)
    assert (stage.push("No thought. At all.", 0.0), len(stage.flush()), stage.held_needlessly) == ([], 2, True)
    assert told(["No thought. At all."], held) == (["No thought.", "At all."], "No thought. At all.")


@HOLD
@given(
    some.lists(
        some.one_of(some.text("0123456789.,:/-$€£¥₹%#*<>=^~ +°()", max_size=12), some.sampled_from(_UNITS.split())),
        max_size=12,
    ).map("".join),
    some.sampled_from(
        ["en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "it-IT", "pt-BR", "ru-RU", "hi-IN", "ja-JP", "ar-EG"]
    ),
)
def test_no_number_breaks_the_stage_or_loses_what_was_written(text: str, language: str) -> None:
    for verbalise in ("auto", "words", "none"):
        stage = SpeakableText(built_in().spoken(language), "", SpeakableOptions(verbalise=verbalise))
        phrases = stage.push(f"well {text}", 0.0) + stage.flush()
        assert letters("".join(phrase.written for phrase in phrases)) == letters("".join(told([f"well {text}"])[0]))
