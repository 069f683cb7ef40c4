"""Texts cut for speaking, SSML and dictionaries included."""

import pytest
from speech_server.core.tts.pronunciations import parse_dictionary, substitute
from speech_server.core.tts.ssml import pauses_s, phrases, with_capped_breaks
from speech_server.core.tts.text_chunking import MOST_CHARACTERS, Phrase, cut
from speech_server.errors import BadRequest


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello. How are you?", ["Hello.", "How are you?"]),
        ("It costs 3.5 dollars. Fine!", ["It costs 3.5 dollars.", "Fine!"]),
        ("no end", ["no end"]),
        ("Wait... what?! Yes", ["Wait...", "what?!", "Yes"]),
        ("आप कैसे हैं। मैं ठीक हूँ।", ["आप कैसे हैं।", "मैं ठीक हूँ।"]),
        ("one line\nanother", ["one line", "another"]),
        ("  \n ", []),
    ],
)
def test_a_text_is_cut_at_its_sentences(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


def test_a_long_first_sentence_is_cut_at_its_first_comma_only() -> None:
    text = "Well, that is a rather long sentence, which goes on for quite a while, and then ends."
    assert cut(text) == ["Well,", "that is a rather long sentence, which goes on for quite a while, and then ends."]
    assert cut(text, first=False) == [text]


def test_no_phrase_is_too_long_and_no_word_is_lost() -> None:
    text = "word " * 500
    pieces = cut(text)
    assert max(map(len, pieces)) <= MOST_CHARACTERS
    assert " ".join(pieces).split() == text.split()
    assert max(map(len, cut("x" * 1000))) <= MOST_CHARACTERS


def test_ssml_becomes_phrases_with_speeds_and_pauses() -> None:
    document = """<speak>Hello <break time="200ms"/> there.
        <prosody rate="slow">Take <sub alias="your">ur</sub> time</prosody><break strength="strong"/>
        <s>Bye</s><audio src="x.wav">no</audio></speak>"""
    assert phrases(document) == [
        Phrase("Hello", 1.0, 0.2),
        Phrase("there."),
        Phrase("Take your time", 0.8, 0.7),
        Phrase("Bye"),
    ]


def test_rates_are_kept_within_what_can_be_understood() -> None:
    (spoken,) = phrases('<speak><prosody rate="1%">slow</prosody></speak>')
    assert spoken.speed == 0.25


def test_a_dictionary_is_read_the_way_clients_write_it() -> None:
    assert parse_dictionary("NVIDIA  ɛn.vɪ.diː.ʌ,word  wɜːd") == (("NVIDIA", "ɛn.vɪ.diː.ʌ"), ("word", "wɜːd"))
    assert parse_dictionary("") == ()


@pytest.mark.parametrize("text", ["word phonemes", "  phonemes", "a  b," * 501])
def test_a_dictionary_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="custom_dictionary"):
        parse_dictionary(text)


def test_words_are_replaced_whole_whatever_their_case_and_never_in_tags() -> None:
    text, replaced = substitute("<s>An ant, Antwerp, ANT</s>", (("ant", "x"), ("s", "y")), lambda ipa: f"[{ipa}]")
    assert text == "<s>An [x], Antwerp, [x]</s>"
    assert replaced == ["ant", "ANT"]


def test_breaks_are_capped_and_counted() -> None:
    text = '<speak>a<break time="3600s"/>b<break time="250ms"/>c<break strength="strong"/>d<break/></speak>'
    assert pauses_s(text) == 10 + 0.25 + 0.7 + 0.4
    assert with_capped_breaks(text) == (
        '<speak>a<break time="10000ms" />b<break time="250ms" />c<break time="700ms" />d<break time="400ms" /></speak>'
    )
    assert with_capped_breaks("<speak>a &lt; b</speak>") == "<speak>a &lt; b</speak>"


def test_a_namespace_leaves_no_prefix_and_the_language_stays() -> None:
    text = (
        '<s:speak xmlns:s="http://www.w3.org/2001/10/synthesis" xml:lang="de">a<s:break time="9h"/>b &amp; c</s:speak>'
    )
    assert with_capped_breaks(text) == '<speak xml:lang="de">a<break time="400ms" />b &amp; c</speak>'
