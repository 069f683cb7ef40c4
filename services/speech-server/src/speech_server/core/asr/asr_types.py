"""What does a recogniser take, and what does it give? Audio is PCM16 mono at 16 kHz."""

from dataclasses import dataclass

ASR_RATE_HZ = 16_000
"""Every recogniser and every voice activity detector here hears this rate."""


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised or spoken word; times in seconds since its utterance (ASR) or request (TTS) began."""

    text: str
    start_s: float
    end_s: float
    confidence: float = 0.0
    """0..1; 0 = not known."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What an utterance is believed to be so far."""

    text: str
    words: tuple[Word, ...] = ()
    confidence: float = 0.0
    stability: float = 0.0
    """Of a hypothesis that may change: the part of its words, 0..below 1, that has stopped changing; 0 = not known."""
    others: tuple["Hypothesis", ...] = ()
    """Less likely ones, best first, where the engine has them; without alternatives of their own."""


@dataclass(frozen=True, slots=True)
class Hints:
    """What a caller told the recogniser beforehand."""

    language: str
    phrases: tuple[tuple[str, float], ...] = ()
    """Speech contexts: (phrase, boost)."""
    alternatives: int = 1
    """Hypotheses wanted of a final, the best included."""


@dataclass(frozen=True, slots=True)
class AsrModel:
    """One entry of the model list."""

    name: str
    languages: tuple[str, ...]
    punctuates: bool = False
    """Writes punctuation and capitals."""
    boosts: bool = False
    """Uses `Hints.phrases`."""
    estimates_times: bool = False
    """Its words' times are spread over what was said by their length: the model itself knows none."""
