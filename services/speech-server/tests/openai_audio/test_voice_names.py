"""Does every name of OpenAI's find a voice?"""

import pytest
from speech_server.core.tts.tts_types import Voice
from speech_server.core.tts.voices import VoicePolicy
from speech_server.errors import BadRequest
from speech_server.openai_audio.voice_names import NAMES, choose

HER, HIM = Voice("English-US.Female-1", "en-US", 22_050), Voice("English-US.Male-1", "en-US", 22_050)
GERMAN = Voice("German-DE.Male-1", "de-DE", 22_050)
STRICT = VoicePolicy({})


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_openai_speaks_english_in_a_voice_of_the_same_sex(name: str) -> None:
    assert choose(name.title(), [GERMAN, HIM, HER], STRICT) == (HER if NAMES[name] == "female" else HIM)


def test_where_nobody_speaks_english_another_voice_does() -> None:
    assert choose("alloy", [GERMAN], STRICT) == GERMAN


def test_an_alias_of_the_operator_comes_first() -> None:
    assert choose("alloy", [HER, HIM], VoicePolicy({"alloy": "English-US.Male-1"})) == HIM


def test_our_own_names_work_and_no_name_is_the_first_voice() -> None:
    assert choose("english-us.male-1", [HER, HIM], STRICT) == HIM
    assert choose("", [HER, HIM], STRICT) == HER


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(BadRequest, match="Unknown"):
        choose("nobody", [HER], STRICT)
