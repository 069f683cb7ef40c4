"""Which voice does a name mean?

Names are "<model voice>.<subvoice>", compared whatever their case. A user of Magpie or FastPitch voices finds a voice
of the same language and, where there is a choice, of the same sex.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from speech_server.core.asr.recognition_plan import Policy, match_language
from speech_server.core.requests.error_text import shown
from speech_server.core.tts.tts_types import Voice
from speech_server.errors import BadRequest

_FEMALE = frozenset(["aria", "houzhen", "isabela", "louise", "mia", "siwei", "sofia"])
_LANGUAGE_NAMES = {
    "english": "en", "spanish": "es", "german": "de", "french": "fr", "italian": "it", "mandarin": "zh", "hindi": "hi",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class VoicePolicy:
    """What the operator decided; `aliases` has lower-case names as keys."""

    aliases: Mapping[str, str]
    unknown_voices: Policy = "strict"


def choose_voice(name: str, language: str, voices: Sequence[Voice], policy: VoicePolicy) -> Voice:
    """The voice for a request. Raises BadRequest for a name or language nobody speaks, where the policy is strict."""
    if not name:
        return _of_language(language, voices, policy)
    wanted = policy.aliases.get(name.lower(), name).lower()
    for voice in voices:
        if voice.name.lower() == wanted:
            return voice
    stand_in = _stand_in(wanted, voices)
    if stand_in is not None:
        return stand_in
    if policy.unknown_voices == "strict":
        some = ", ".join(voice.name for voice in voices[:8])
        raise BadRequest(f"Unknown voice_name {shown(name)}; send one of the listed voices ({some}), or none.")
    return voices[0]


def _of_language(language: str, voices: Sequence[Voice], policy: VoicePolicy) -> Voice:
    if not language:
        return voices[0]
    found = match_language(language, [voice.language for voice in voices])
    if found is not None:
        return next(voice for voice in voices if voice.language == found)
    if policy.unknown_voices == "strict":
        spoken = ", ".join(dict.fromkeys(voice.language for voice in voices))
        raise BadRequest(f"No voice speaks language_code {shown(language)}; send one of {spoken}, or a voice_name.")
    return voices[0]


def _stand_in(wanted: str, voices: Sequence[Voice]) -> Voice | None:
    """A voice instead of one of NVIDIA's; None when `wanted` isn't the name of one of theirs."""
    parts = wanted.split(".")
    if parts[0] in ("magpie-multilingual", "magpie-zeroshot-multilingual"):
        language, speaker = (parts[1], parts[2:3]) if len(parts) > 2 else ("en-us", parts[1:2])
    else:
        spoken, _, region = parts[0].partition("-")
        if spoken not in _LANGUAGE_NAMES or len(parts) < 2:
            return None
        language, speaker = f"{_LANGUAGE_NAMES[spoken]}-{region}".rstrip("-"), parts[1].split("-")[:1]
    found = match_language(language, [voice.language for voice in voices])
    if found is None:
        return None
    same = [voice for voice in voices if voice.language == found]
    female = bool(speaker) and (speaker[0] in _FEMALE or speaker[0] == "female")
    return next((voice for voice in same if ("female" in voice.name.lower()) is female), same[0])


def list_voices(voices: Sequence[Voice]) -> list[tuple[str, str, int, list[str]]]:
    """Voices grouped the way they are listed: (voice name, language, rate in Hz, subvoices)."""
    groups: dict[tuple[str, str, int], list[str]] = {}
    for voice in voices:
        name, _, subvoice = voice.name.partition(".")
        groups.setdefault((name, voice.language, voice.rate_hz), []).append(subvoice)
    return [(*group, subvoices) for group, subvoices in groups.items()]
