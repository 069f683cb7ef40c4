"""What does a call need of the outside? One small Protocol each; backends implement them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Protocol

from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.speech_types import RecognitionOptions, SynthesisedAudio, SynthesisOptions
from voice_gateway.core.tokens import Usage
from voice_gateway.core.tools import NO_TOOLS, Tool, ToolCall, ToolChoice, ToolResult
from voice_gateway.core.transcript import RecognitionResult


class RecognitionStream(Protocol):
    """One call's recognition stream."""

    def push(self, pcm16: bytes, *, urgent: bool) -> None:
        """Take audio (PCM16, 16 kHz). Urgent audio leaves at once, other audio may wait for more.
        Raises TooSlow when the bounded buffer is full."""

    def trim_silence(self) -> None:
        """Nothing was said for a while: audio sent so far need not be heard again, but for the last second."""

    def finish_utterance(self, *, in_silence: bool = False) -> None:
        """Ask for a final now; `in_silence`: no more audio comes, so send the silence a recogniser waits for."""

    def close_input(self) -> None:
        """No more audio comes: `run` returns when the recogniser has said what it has to say."""

    def reopen(self, *, elsewhere: bool = False) -> None:
        """The open stream says nothing any more: try another one; with `elsewhere`, only if another server is known
        to serve."""

    @property
    def received_s(self) -> float:
        """Seconds of audio taken so far."""

    @property
    def behind_s(self) -> float:
        """Seconds of audio that were taken and not sent to the recogniser yet."""

    @property
    def open_audio(self) -> bytes:
        """Audio no final stands for yet (PCM16, 16 kHz, bounded)."""

    async def run(self, on_result: Callable[[RecognitionResult], None]) -> None:
        """Serve the stream until cancelled, or until all is said after `close_input`. `on_result` gets each result that
        brings something new; its times are seconds of the call's audio. Raises Upstream when the stream can't be kept
        up."""


class Recogniser(Protocol):
    """Opens recognition streams."""

    def open(self, options: RecognitionOptions) -> RecognitionStream:
        """A new stream; its `run` connects."""


class LanguageModel(Protocol):
    """Answers a chat."""

    def answer(
        self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice = NO_TOOLS
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        """Pieces of text as they come, at the end the calls of tools, and perhaps what the server counted. Closing the
        generator cancels the request. Raises Upstream; ChatTooLong where the chat does not fit the model."""

    async def get_ready(self) -> None:
        """A question is likely soon: do what can be done before. Never raises."""


class ToolRunner(Protocol):
    """Carries out what the model calls in one call, whoever does the work."""

    async def run(self, call: ToolCall, tool: Tool | None, n: int, decided: asyncio.Event) -> ToolResult:
        """The result of a call of reply `n`, within the tool's time; `tool` None = there is none of that name. A tool
        with side effects waits for `decided`. Never raises."""

    def filler(self, n: int) -> str:
        """What is said while a tool of reply `n` takes long; "" = nothing."""


class OperatorTools(Protocol):
    """The tools that the operator has declared, for every call."""

    @property
    def tools(self) -> Sequence[Tool]:
        """Those that can be called now."""

    async def call(self, name: str, arguments: Mapping[str, Any], key: str) -> str:
        """What the tool says; `key` names this one call. Raises ToolFailed. The tool's timeout is the asker's."""


class SynthesisStream(Protocol):
    """Speaks one reply, phrase by phrase."""

    def synthesise(self, phrase: str) -> AsyncGenerator[SynthesisedAudio, None]:
        """Audio as it is made. Closing the generator cancels the request. Raises Upstream, also when a phrase
        brought no audio at all."""

    def close(self) -> None:
        """The reply is over, or cancelled."""


class Synthesiser(Protocol):
    """Gives voices."""

    def open(self, options: SynthesisOptions) -> SynthesisStream:
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
    """Judges by its sound whether a turn is over, for every call."""

    @property
    def window_s(self) -> float:
        """How far back it listens."""

    def ask(self, pcm16: bytes, on_score: Callable[[float], None]) -> None:
        """Judge a turn that pauses (PCM16, 16 kHz, with the pause at its end). `on_score` is called on the loop with
        the probability that it is over; never, where that comes too late or fails. Never blocks."""
