"""What is asked of recognition and synthesis, and what does a voice give?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """How one call's audio is recognised."""

    language: str
    hotwords: tuple[tuple[str, float], ...] = ()
    model: str = ""
    """"" = the server chooses."""
    punctuation: bool = True
    """Sentences with signs and capitals, where the model has them."""
    stop_history_ms: int = 0
    """Silence after which an utterance gets its final; 0 = as the operator set it."""


@dataclass(frozen=True, slots=True)
class SynthesisOptions:
    """How a phrase is spoken."""

    language: str
    voice: str
    rate_hz: int


@dataclass(frozen=True, slots=True)
class SynthesisedAudio:
    """Audio (PCM16 at the asked rate) and, where the voice tells, the words in it with their end in seconds
    since the phrase began."""

    pcm16: bytes
    words: tuple[tuple[str, float], ...] = ()
