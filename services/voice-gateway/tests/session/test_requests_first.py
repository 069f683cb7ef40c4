"""Do the requests that a turn sets off go before what the caller is told of the turn? In virtual time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest
from scripted_backends import ScriptedModel, ScriptedVoice
from voice_gateway.config import Settings
from voice_gateway.config_calls import call_options, gate_policies
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import CallEnded, Caller, CallerEnded, LlmOptions, ReplyAudio, TextTyped
from voice_gateway.core.language import Languages
from voice_gateway.core.speech_types import RecognitionOptions, SynthesisedAudio
from voice_gateway.core.tools import NO_TOOLS, ToolCall, ToolChoice
from voice_gateway.core.transcript import RecognitionResult
from voice_gateway.metrics import Metrics
from voice_gateway.session.reply_setup import ReplySetup
from voice_gateway.session.session import CallResources, Session
from voice_gateway.session.turn_log_file import NoTurnLog

pytestmark = pytest.mark.looptime


class SilentStream:
    """A recognition stream that says nothing."""

    received_s = 0.0
    behind_s = 0.0
    open_audio = b""

    def open(self, options: RecognitionOptions) -> "SilentStream":
        return self

    def push(self, pcm16: bytes, *, urgent: bool) -> None:
        """Nothing."""

    def trim_silence(self) -> None:
        """Nothing."""

    def finish_utterance(self, *, in_silence: bool = False) -> None:
        """Nothing."""

    def close_input(self) -> None:
        """Nothing here ends with its input."""

    def reopen(self, *, elsewhere: bool = False) -> None:
        """Nothing."""

    async def run(self, on_result: Callable[[RecognitionResult], None]) -> None:
        await asyncio.Event().wait()


class NotingModel(ScriptedModel):
    """Notes when its request is written, two turns of the loop after it was asked, as an HTTP client does."""

    def __init__(self, noted: list[str], *script: str) -> None:
        super().__init__(*script)
        self._noted = noted

    async def answer(
        self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice = NO_TOOLS
    ) -> AsyncGenerator[str | ToolCall, None]:
        loop = asyncio.get_running_loop()
        await loop.create_task(self._write(), name="request")
        await asyncio.sleep(0.2)
        for step in self.script:
            yield str(step)

    async def _write(self) -> None:
        self._noted.append("question")


class NotingVoice(ScriptedVoice):
    """Notes each phrase it is sent."""

    def __init__(self, noted: list[str]) -> None:
        super().__init__(delay_s=0.1)
        self._noted = noted

    async def synthesise(self, phrase: str) -> AsyncGenerator[SynthesisedAudio, None]:
        self._noted.append(f"phrase {phrase}")
        async for sound in super().synthesise(phrase):
            yield sound


def session(model: ScriptedModel, voice: ScriptedVoice) -> Session:
    settings = Settings(tts_sample_rate=16_000)
    resources = CallResources(
        recogniser=SilentStream(),
        detector=None,
        gate_policies=gate_policies(settings),
        final_after_s=(0.4,),
        reply=ReplySetup(model, voice, 0.2, 0.1, 6.0),
        metrics=Metrics(),
        clock=asyncio.get_running_loop().time,
        max_session_s=60,
        go_away_before_s=0,
        resume_grace_s=15,
        history=50,
        languages=Languages({}),
    )
    return Session("call", call_options(settings), resources, NoTurnLog(), Caller())


async def write_events(call: Session, noted: list[str]) -> None:
    """What an edge does with the events of a call."""
    while True:
        _, event = await call.outbox.take()
        if isinstance(event, ReplyAudio):
            continue
        await call.requests_sent()
        noted.append(str(getattr(event, "kind", type(event).__name__)))
        if isinstance(event, CallEnded):
            return


async def test_question_and_phrase_leave_before_the_events_that_tell_of_them() -> None:
    noted: list[str] = []
    call = session(NotingModel(noted, "Hello there."), NotingVoice(noted))
    running, edge = asyncio.create_task(call.run()), asyncio.create_task(write_events(call, noted))
    call.attach()
    call.take(TextTyped("Hi."))
    await asyncio.sleep(0.25)
    assert noted == ["question", "TurnKind.TURN_ENDED", "TurnKind.REPLY_STARTED", "phrase Hello there.", "ReplyText"]
    call.take(CallerEnded())
    await running
    await edge


async def test_events_wait_for_requests_no_longer_than_two_milliseconds() -> None:
    call = session(NotingModel([]), NotingVoice([]))
    call.take(TextTyped("Nobody decides this: the call does not run."))
    began = asyncio.get_running_loop().time()
    await call.requests_sent()
    assert asyncio.get_running_loop().time() - began == pytest.approx(0.002)


async def test_events_of_no_turn_wait_for_nothing() -> None:
    call = session(NotingModel([]), NotingVoice([]))
    began = asyncio.get_running_loop().time()
    await call.requests_sent()
    assert asyncio.get_running_loop().time() == began
