"""Which voice a name means."""

import pytest
from speech_server.core.tts.ssml import is_ssml, spoken_words
from speech_server.core.tts.tts_types import Voice
from speech_server.core.tts.voices import VoicePolicy, choose_voice, list_voices
from speech_server.errors import BadRequest

VOICES = [
    Voice("English-US.Male-1", "en-US", 22_050),
    Voice("English-US.Female-1", "en-US", 22_050),
    Voice("German-DE.Male-1", "de-DE", 22_050),
]
STRICT = VoicePolicy({"alloy": "German-DE.Male-1"})
LENIENT = VoicePolicy({}, "ignore")


@pytest.mark.parametrize(
    ("name", "language", "found"),
    [
        ("", "", "English-US.Male-1"),
        ("", "de-de", "German-DE.Male-1"),
        ("english-us.FEMALE-1", "", "English-US.Female-1"),
        ("Alloy", "", "German-DE.Male-1"),
        ("Magpie-Multilingual.EN-US.Aria", "en-US", "English-US.Female-1"),
        ("Magpie-Multilingual.EN-US.Leo", "en-US", "English-US.Male-1"),
        ("Magpie-Multilingual.EN-US.Aria.Calm", "en-US", "English-US.Female-1"),
        ("Magpie-Multilingual.DE-DE.Aria", "de-DE", "German-DE.Male-1"),
        ("Magpie-ZeroShot-Multilingual.Female", "", "English-US.Female-1"),
        ("English-US.Female-Calm", "", "English-US.Female-1"),
    ],
)
def test_a_name_means_a_voice(name: str, language: str, found: str) -> None:
    assert choose_voice(name, language, VOICES, STRICT).name == found


@pytest.mark.parametrize("name", ["Nobody.Here", "Magpie-Multilingual.KO-KR.Aria", "nobody"])
def test_an_unknown_voice_is_refused_naming_some_that_exist(name: str) -> None:
    with pytest.raises(BadRequest, match=r"Unknown voice_name.*English-US\.Male-1"):
        choose_voice(name, "", VOICES, STRICT)


def test_a_language_nobody_speaks_is_refused() -> None:
    with pytest.raises(BadRequest, match="No voice speaks language_code 'xx'; send one of en-US, de-DE"):
        choose_voice("", "xx", VOICES, STRICT)


def test_unknown_voices_and_languages_get_the_default_where_the_operator_ignores_them() -> None:
    assert choose_voice("nobody", "", VOICES, LENIENT).name == "English-US.Male-1"
    assert choose_voice("", "xx", VOICES, LENIENT).name == "English-US.Male-1"


def test_voices_are_listed_by_their_first_name() -> None:
    assert list_voices(VOICES) == [
        ("English-US", "en-US", 22_050, ["Male-1", "Female-1"]),
        ("German-DE", "de-DE", 22_050, ["Male-1"]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<speak>Hello</speak>",
        '  <speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis">Hi <break/></speak>\n',
        "<?xml version='1.0'?><speak>Hello</speak>",
    ],
)
def test_one_speak_document_is_ssml(text: str) -> None:
    assert is_ssml(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "a < b",
        "<speak>Hello",
        "<speak>a</speak> and <speak>b</speak>",
        "<speaker>Hello</speaker>",
        "say <speak>Hello</speak>",
        '<?xml version="1.0"?><!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>',
    ],
)
def test_everything_else_is_plain_text(text: str) -> None:
    assert not is_ssml(text)


def test_an_engine_without_tags_speaks_the_words_between_them() -> None:
    assert spoken_words("<speak>Hello <break/> <emphasis>there</emphasis></speak>") == "Hello there"
