"""Who reads numbers and signs is the operator's choice; the history keeps what was written."""

import pytest
from voice_gateway.config_languages import built_in
from voice_gateway.core.speakable.phrase import Word
from voice_gateway.core.speakable.words import Verbalise, wording

PRICE = "Press # for 5 km at $1.50."


@pytest.mark.parametrize(
    ("voice", "verbalise", "spoken"),
    [
        ("", "auto", "Press pound for 5 kilometers at one dollar and fifty cents."),
        ("English-US.Female-1", "auto", "Press pound for 5 km at $1.50."),
        ("Magpie-Multilingual.EN-US.Aria", "auto", "Press pound for 5 km at $1.50."),
        ("Magpie-Multilingual.EN-US.Aria", "words", "Press pound for five kilometers at one dollar and fifty cents."),
        ("", "none", PRICE),
    ],
)
def test_voices_that_normalise_text_themselves_get_their_numbers_as_written(
    voice: str, verbalise: Verbalise, spoken: str
) -> None:
    phrase = wording(built_in().spoken("en-US"), voice, verbalise)(PRICE)
    assert phrase.spoken == spoken
    assert phrase.written == PRICE


@pytest.mark.parametrize("verbalise", ["auto", "words", "none"])
def test_an_address_is_spoken_short_whoever_reads_numbers(verbalise: Verbalise) -> None:
    phrase = wording(built_in().spoken("en-US"), "", verbalise)("See https://www.example.com/5km?a=1*2#x, please.")
    assert phrase.words[1] == Word("https://www.example.com/5km?a=1*2#x,", "example.com,")


def test_what_is_said_together_is_one_word() -> None:
    phrase = wording(built_in().spoken("en-US"), "", "auto")("About $1.5 million was (5 km) *67#.")
    assert phrase.words == (
        Word("About", "About"),
        Word("$1.5 million", "1.5 million dollars"),
        Word("was", "was"),
        Word("(5 km)", "(5 kilometers)"),
        Word("*67#.", "star 67 pound."),
    )


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("en-US", "I have 21 and 3.5 of 1,000.", "I have twenty-one and three point five of one thousand."),
        ("en-US", "At 10:30, the 3rd.", "At ten thirty, the third."),
        ("en-US", "Call 555-1234.", "Call five five five, one two three four."),
        ("de-DE", "Ich habe 21 und 3,5.", "Ich habe einundzwanzig und drei Komma fünf."),
        ("es-ES", "Son 21 y 3,5.", "Son veintiuno y tres punto cinco."),
        ("fr-FR", "Il y a 21 et 3,5.", "Il y a vingt et un et trois virgule cinq."),
        ("hi-IN", "21 लोग।", "21 लोग।"),
        ("tlh", "21 Hol.", "21 Hol."),
    ],
)
def test_every_number_in_words_where_the_language_is_known(language: str, written: str, spoken: str) -> None:
    assert wording(built_in().spoken(language), "", "words")(written).spoken == spoken


@pytest.mark.parametrize(
    "written", ["On 2024-13-45.", "On 31/31/2024.", "It is 5-3.", "v2.0 of a1b2", "COVID-19", "24/7", "$x", "1.2.3.4"]
)
def test_what_can_be_read_two_ways_or_makes_no_sense_is_left_to_the_voice(written: str) -> None:
    assert wording(built_in().spoken("en-US"), "", "auto")(written).spoken == written
