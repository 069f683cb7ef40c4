"""What does the server need of an engine? Audio is PCM16 mono: 16 kHz in, the voice's rate out."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from speech_server.core.asr.asr_types import AsrModel, Hints, Hypothesis
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk, Voice


class Startable(Protocol):
    """What an engine has in common with its parts."""

    async def start(self) -> None:
        """Load and warm up. Raises EngineUnavailable with a sentence."""

    async def stop(self) -> None:
        """Free everything, processes included. Safe after a failed start."""


class Utterances(Protocol):
    """One caller's recogniser: utterance after utterance, state fresh at `open`, carried along after that."""

    async def accept(self, pcm16: bytes) -> Hypothesis:
        """Decode more of the open utterance (begun by the first `accept`) and say what it is believed to be now."""

    async def finish(self) -> Hypothesis:
        """End the open utterance; the next `accept` begins another. Empty text when nothing was said."""

    async def close(self) -> None:
        """Give the state back. Safe to call twice, and after an error."""


@runtime_checkable
class SpeculativeUtterances(Protocol):
    """What an engine's Utterances may be besides: told early that the end may have come, so that it can work ahead."""

    def paused(self) -> None:
        """Speech has paused, and all of it was accepted: the utterance may end with it."""

    def resumed(self) -> None:
        """The speaker went on; work done ahead is worth nothing."""

    async def expected(self) -> Hypothesis:
        """What the open utterance would be if it ended now; it stays open."""


@runtime_checkable
class UtteranceObserver(Protocol):
    """What an engine's Utterances may be besides: told when things happened on the wire. The scripted ones are."""

    def stopped(self, arrived_at: float) -> None:
        """The chunk that completed the silence after the open utterance arrived then (time.monotonic()).

        Called before `finish`, and not at all when the utterance ends another way.
        """

    def final_written(self) -> None:
        """The final of the utterance finished last goes out at this moment."""


class Recogniser(Startable, Protocol):
    """An ASR engine. What blocks runs off the loop."""

    @property
    def models(self) -> Sequence[AsrModel]:
        """What the model list shows; the first is the default."""

    async def open(self, hints: Hints) -> Utterances:
        """A recogniser for one stream. Raises EngineBusy when no more fit."""

    async def transcribe(self, pcm16: bytes, hints: Hints) -> Hypothesis:
        """A whole recording of any length, its words' times since its beginning. Empty text when nothing was said.

        Raises EngineBusy when no more fit, EngineUnavailable; cancelling it frees what it holds.
        """


@runtime_checkable
class HasState(Protocol):
    """What an engine may do besides: say in one line what runs, where, and why there."""

    @property
    def state(self) -> str:
        """For `/readyz` and the log."""


@runtime_checkable
class HasCounters(Protocol):
    """What an engine may do besides: count what it does."""

    @property
    def figures(self) -> Mapping[str, float]:
        """Counts since the start, by a name that can be part of a metric's (`batches`, `busy_seconds`)."""


@runtime_checkable
class HasQueue(Protocol):
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


class VoiceActivityDetector(Startable, Protocol):
    """Speech or not, for any number of streams."""

    def open(self) -> VoiceActivity:
        """A detector for one stream, state fresh."""


class Synthesiser(Startable, Protocol):
    """A TTS engine. What blocks runs off the loop."""

    @property
    def voices(self) -> Sequence[Voice]:
        """What the voice list shows; the first is the default."""

    def speak(self, request: SpeechRequest) -> AsyncGenerator[SpokenChunk, None]:
        """Audio as it is made; closing the generator stops the engine promptly."""
