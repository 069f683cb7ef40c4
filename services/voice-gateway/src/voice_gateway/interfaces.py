"""What does a call need of the outside? One small Protocol each; backends implement them."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.transcript import Recognised


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """How one call's audio is recognised."""

    language: str
    hotwords: tuple[tuple[str, float], ...] = ()


class Ear(Protocol):
    """One call's recognition stream."""

    def push(self, pcm16: bytes, *, urgent: bool) -> None:
        """Take audio (PCM16, 16 kHz). Urgent audio leaves at once, other audio may wait for more.
        Raises TooSlow when the bounded buffer is full."""

    def forget(self) -> None:
        """Nothing was said for a while: audio sent so far need not be heard again, but for the last second."""

    def finish_utterance(self, *, in_silence: bool = False) -> None:
        """Ask for a final now; `in_silence`: no more audio comes, so send the silence a recogniser waits for."""

    def reopen(self, *, elsewhere: bool = False) -> None:
        """The open stream says nothing any more: try another one; with `elsewhere`, only if another server is known
        to serve."""

    @property
    def received_s(self) -> float:
        """Seconds of audio taken so far."""

    @property
    def open_audio(self) -> bytes:
        """Audio no final stands for yet (PCM16, 16 kHz, bounded)."""

    async def run(self, told: Callable[[Recognised], None]) -> None:
        """Serve the stream until cancelled; results that bring nothing new are not told, and their times are seconds
        of the call's audio. Raises Upstream when the stream can't be kept up."""


class Recogniser(Protocol):
    """Opens recognition streams."""

    def listen(self, options: ListenOptions) -> Ear:
        """A new stream; its `run` connects."""


class LanguageModel(Protocol):
    """Answers a chat."""

    def answer(self, chat: Sequence[Message], options: LlmOptions) -> AsyncGenerator[str, None]:
        """Pieces of text as they come. Closing the generator cancels the request. Raises Upstream."""

    async def get_ready(self) -> None:
        """A question is likely soon: do what can be done before. Never raises."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Audio (PCM16 at the asked rate) and, where the voice tells, the words in it with their end in seconds
    since the phrase began."""

    pcm16: bytes
    words: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SpeakOptions:
    """How a phrase is spoken."""

    language: str
    voice: str
    rate_hz: int


class Voice(Protocol):
    """Speaks one reply, phrase by phrase."""

    def speak(self, phrase: str) -> AsyncGenerator[Sound, None]:
        """Audio as it is made. Closing the generator cancels the request. Raises Upstream, also when a phrase
        brought no audio at all."""

    def close(self) -> None:
        """The reply is over, or cancelled."""


class Synthesiser(Protocol):
    """Gives voices."""

    def open(self, options: SpeakOptions) -> Voice:
        """A voice for one reply. What can be done before the first phrase is known begins now."""


class VoiceActivityStream(Protocol):
    """One call's speech probabilities."""

    def push(self, pcm16: bytes, arrived_at: float) -> None:
        """Take audio (PCM16, 16 kHz) that arrived at `arrived_at`."""

    def close(self) -> None:
        """Forget the call."""


class VoiceActivityDetector(Protocol):
    """Speech or not, for every call."""

    def open(self, on_frame: Callable[[float, float, float], None]) -> VoiceActivityStream:
        """A stream that calls `on_frame(probability, arrived_at, frame_s)` on the loop for each frame."""


class EndOfTurnScorer(Protocol):
    """Judges from the words whether a turn is complete."""

    async def score(self, chat: Sequence[Message]) -> float:
        """Probability 0..1 that the caller has finished."""


class Tools(Protocol):
    """What the language model may call."""

    async def call(self, name: str, arguments: Mapping[str, object]) -> str:
        """The result as the model reads it."""
