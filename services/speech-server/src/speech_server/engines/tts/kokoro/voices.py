"""Which voices does a Kokoro model have? Riva's way of naming them: "Kokoro-EN-US.Female-Heart".

A voice's file is named by language (a letter), sex (f or m) and name: `af_heart`. Japanese and Mandarin need other
phonemes than eSpeak NG makes; their voices are left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from speech_server.core.tts.tts_types import Voice
from speech_server.engines.tts.kokoro.model_files import RATE_HZ

_LANGUAGES = {
    "a": ("en-US", "en-us"), "b": ("en-GB", "en-gb-x-rp"), "h": ("hi-IN", "hi"), "e": ("es-ES", "es"),
    "f": ("fr-FR", "fr"), "i": ("it-IT", "it"), "p": ("pt-BR", "pt-br"),
}  # fmt: skip
_ORDER = "abhefip"
DEFAULT = "af_heart"


@dataclass(frozen=True, slots=True)
class KokoroVoice:
    """A voice, its style's file name, and the eSpeak NG voice that makes its phonemes."""

    voice: Voice
    style: str
    identifier: str


def voices_of(styles: Iterable[str]) -> tuple[KokoroVoice, ...]:
    """The voices these files are, the default first, then by language."""
    known = [style for style in styles if style[:1] in _LANGUAGES and style[1:3] in ("f_", "m_")]
    known.sort(key=lambda style: (style != DEFAULT, _ORDER.index(style[0]), style))
    return tuple(_voice(style) for style in known)


def _voice(style: str) -> KokoroVoice:
    language, identifier = _LANGUAGES[style[0]]
    sex = "Female" if style[1] == "f" else "Male"
    name = f"Kokoro-{language.upper()}.{sex}-{style[3:].title()}"
    return KokoroVoice(Voice(name, language, RATE_HZ, takes_phonemes=True), style, identifier)
