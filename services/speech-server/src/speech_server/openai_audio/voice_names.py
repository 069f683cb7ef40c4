"""Which of our voices stands in for one of OpenAI's?"""

from collections.abc import Sequence

from speech_server.core.asr.recognition_plan import match_language
from speech_server.core.tts.tts_types import Voice
from speech_server.core.tts.voices import VoicePolicy, choose_voice

NAMES = {
    "alloy": "female", "ash": "male", "ballad": "male", "cedar": "male", "coral": "female", "echo": "male",
    "fable": "male", "marin": "female", "nova": "female", "onyx": "male", "sage": "female", "shimmer": "female",
    "verse": "male",
}  # fmt: skip
"""How they sound to most people."""
_LANGUAGE = "en-US"


def choose(name: str, voices: Sequence[Voice], policy: VoicePolicy) -> Voice:
    """One of OpenAI's names finds a voice of the same sex, in English where there is one; others are our own names.

    An alias of the operator's comes first. Raises BadRequest for an unknown name where the policy is strict.
    """
    sex = NAMES.get(name.lower())
    if sex is None or name.lower() in policy.aliases:
        return choose_voice(name, "", voices, policy)
    language = match_language(_LANGUAGE, [voice.language for voice in voices]) or voices[0].language
    same = [voice for voice in voices if voice.language == language]
    female = sex == "female"
    return next((voice for voice in same if ("female" in voice.name.lower()) is female), same[0])
