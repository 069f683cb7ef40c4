"""Which voices does eSpeak NG have here? Riva's way of naming them, eSpeak NG's way of making them."""

from dataclasses import dataclass

from speech_server.core.tts.tts_types import Voice

RATE_HZ = 22_050
"""The only rate eSpeak NG makes."""


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """A voice and how eSpeak NG is asked for it: language+variant, and words a minute."""

    voice: Voice
    identifier: str
    words_per_minute: int = 175


def _speakers(model: str, language: str, identifier: str) -> list[EspeakVoice]:
    variants = [("Male-1", ""), ("Female-1", "+f3"), ("Male-2", "+m3"), ("Female-2", "+f2")]
    english = language.startswith("en")
    return [
        EspeakVoice(Voice(f"{model}.{name}", language, RATE_HZ, english), identifier + variant)
        for name, variant in variants
    ]


VOICES: tuple[EspeakVoice, ...] = (
    *_speakers("English-US", "en-US", "en-us"),
    # Of all variants at all speeds, what recognisers understand best.
    EspeakVoice(Voice("English-US.Rob", "en-US", RATE_HZ, True), "en-us+rob", words_per_minute=140),
    *_speakers("English-GB", "en-GB", "en-gb-x-rp"),
    *_speakers("German-DE", "de-DE", "de"),
    *_speakers("Spanish-ES", "es-ES", "es"),
    *_speakers("Spanish-US", "es-US", "es-419"),
    *_speakers("French-FR", "fr-FR", "fr"),
    *_speakers("Italian-IT", "it-IT", "it"),
    *_speakers("Portuguese-BR", "pt-BR", "pt-br"),
    *_speakers("Mandarin-CN", "zh-CN", "cmn"),
    *_speakers("Hindi-IN", "hi-IN", "hi"),
)
"""All of them; the first is the default."""
