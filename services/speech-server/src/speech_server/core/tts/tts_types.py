"""What does a synthesiser take, and what does it give? Audio is PCM16 mono at the voice's rate."""

from dataclasses import dataclass

from speech_server.core.asr.asr_types import Word


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice, listed the Riva way as `name` = "<model voice>.<subvoice>"."""

    name: str
    language: str
    rate_hz: int
    takes_phonemes: bool = False
    """Honours `SpeechRequest.pronunciations`."""


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """One text to be spoken."""

    text: str
    voice: Voice
    ssml: bool = False
    pronunciations: tuple[tuple[str, str], ...] = ()
    """(word, its phonemes in IPA): spoken so wherever the word stands, whatever its case."""
    speed: float = 1.0
    """How many times as fast as the voice usually speaks, 0.25 to 4. An engine goes as far as it can."""


@dataclass(frozen=True, slots=True)
class SpokenChunk:
    """Audio (PCM16 at the voice's rate, whole samples) and the words that begin in it."""

    pcm16: bytes
    words: tuple[Word, ...] = ()
