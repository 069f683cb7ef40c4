"""What does the server need of an engine? Audio is PCM16 mono: 16 kHz in, the voice's rate out."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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


class Utterances(Protocol):
    """One caller's recogniser: utterance after utterance, state fresh at `open`, carried along after that."""

    async def accept(self, pcm16: bytes) -> Hypothesis:
        """Decode more of the open utterance (begun by the first `accept`) and say what it is believed to be now."""

    async def finish(self) -> Hypothesis:
        """End the open utterance; the next `accept` begins another. Empty text when nothing was said."""

    async def close(self) -> None:
        """Give the state back. Safe to call twice, and after an error."""


@runtime_checkable
class Foresight(Protocol):
    """What an engine's Utterances may be besides: told early that the end may have come, so that it can work ahead."""

    def paused(self) -> None:
        """Speech has paused, and all of it was accepted: the utterance may end with it."""

    def resumed(self) -> None:
        """The speaker went on; work done ahead is worth nothing."""

    async def expected(self) -> Hypothesis:
        """What the open utterance would be if it ended now; it stays open."""


@runtime_checkable
class Witness(Protocol):
    """What an engine's Utterances may be besides: told when things happened on the wire. The scripted ones are."""

    def stopped(self, arrived_at: float) -> None:
        """The chunk that completed the silence after the open utterance arrived then (time.monotonic()).

        Called before `finish`, and not at all when the utterance ends another way.
        """

    def final_written(self) -> None:
        """The final of the utterance finished last goes out at this moment."""


class Recogniser(Protocol):
    """An ASR engine. What blocks runs off the loop."""

    @property
    def models(self) -> Sequence[AsrModel]:
        """What the model list shows; the first is the default."""

    async def start(self) -> None:
        """Load and warm up. Raises EngineUnavailable with a sentence."""

    async def stop(self) -> None:
        """Free everything, processes included."""

    async def open(self, hints: Hints) -> Utterances:
        """A recogniser for one stream. Raises EngineBusy when no more fit."""

    async def transcribe(self, pcm16: bytes, hints: Hints) -> Hypothesis:
        """A whole recording of any length, its words' times since its beginning. Empty text when nothing was said.

        Raises EngineBusy when no more fit, EngineUnavailable; cancelling it frees what it holds.
        """


@runtime_checkable
class Describes(Protocol):
    """What an engine may do besides: say in one line what runs, where, and why there."""

    @property
    def state(self) -> str:
        """For `/readyz` and the log."""


@runtime_checkable
class Measured(Protocol):
    """What an engine may do besides: count what it does."""

    @property
    def figures(self) -> Mapping[str, float]:
        """Counts since the start, by a name that can be part of a metric's (`batches`, `busy_seconds`)."""


@runtime_checkable
class Queued(Protocol):
    """What an engine may have besides: a queue of its own before its model."""

    @property
    def waiting(self) -> int:
        """Pieces of audio in line for the model at this moment."""


class VoiceActivity(Protocol):
    """One stream's speech probability."""

    async def score(self, pcm16: bytes) -> Sequence[float]:
        """Probabilities 0..1 of the frames completed by this audio, each `frame_s` long, oldest first."""

    @property
    def frame_s(self) -> float:
        """Length of one scored frame in seconds."""

    def close(self) -> None:
        """Forget the stream."""


class VoiceActivityDetector(Protocol):
    """Speech or not, for any number of streams."""

    async def start(self) -> None:
        """Load."""

    async def stop(self) -> None:
        """Free."""

    def open(self) -> VoiceActivity:
        """A detector for one stream, state fresh."""


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


class Synthesiser(Protocol):
    """A TTS engine. What blocks runs off the loop."""

    @property
    def voices(self) -> Sequence[Voice]:
        """What the voice list shows; the first is the default."""

    async def start(self) -> None:
        """Load and warm up. Raises EngineUnavailable with a sentence."""

    async def stop(self) -> None:
        """Free everything, processes included."""

    def speak(self, request: SpeechRequest) -> AsyncGenerator[SpokenChunk, None]:
        """Audio as it is made; closing the generator stops the engine promptly."""


class EngineError(Exception):
    """An engine could not do its work; the message is a sentence for the caller."""


class EngineUnavailable(EngineError):
    """The engine can't run here, or died."""


class EngineBusy(EngineError):
    """No more streams fit now."""
