"""A transcription stream in virtual time: partials in their rhythm, the last final before the end, and its limits."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from scripted_backends import ScriptedModel, ScriptedVoice
from scripted_call import FRAME_S, Ears
from voice_gateway.config import Settings
from voice_gateway.config_calls import gate_policies
from voice_gateway.core.events import (
    CallEnded,
    Caller,
    EndReason,
    Failed,
    Failure,
    GoAway,
    SessionEvent,
    Transcribed,
    TurnChanged,
)
from voice_gateway.core.language import Languages
from voice_gateway.core.speech_types import RecognitionOptions
from voice_gateway.core.transcript import RecognitionResult
from voice_gateway.core.transcription import TranscriptionOptions
from voice_gateway.errors import Unavailable
from voice_gateway.metrics import Metrics
from voice_gateway.session.reply_setup import ReplySetup
from voice_gateway.session.session import CallResources
from voice_gateway.session.transcription import TranscriptionStream

pytestmark = pytest.mark.looptime

OPTIONS = TranscriptionOptions("en-US", RecognitionOptions("en-US"))


class Recogniser(Ears):
    """Ends with its input, after the last words."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.last_words: RecognitionResult | None = None
        self.flush_s = 0.3
        self.failure: Exception | None = None

    def push(self, pcm16: bytes, *args: object, **how: object) -> None:
        if "urgent" in how:  # to the recogniser, not to the detector
            self.received_s += len(pcm16) / 32_000

    def close_input(self) -> None:
        self.closed.set()

    async def run(self, on_result: Callable[[RecognitionResult], None]) -> None:
        self.result = on_result
        if self.failure:
            raise self.failure
        await self.closed.wait()
        await asyncio.sleep(self.flush_s)
        if self.last_words:
            on_result(self.last_words)


class Streamed:
    """One stream, and what it told when."""

    def __init__(self, options: TranscriptionOptions, max_session_s: float) -> None:
        self.ears, self.metrics = Recogniser(), Metrics()
        settings = Settings()
        resources = CallResources(
            recogniser=self.ears,
            detector=self.ears,
            gate_policies=gate_policies(settings),
            final_after_s=(0.4,),
            reply=ReplySetup(ScriptedModel(), ScriptedVoice(), 0.2, 0.1, 6.0),
            metrics=self.metrics,
            clock=asyncio.get_running_loop().time,
            max_session_s=max_session_s,
            go_away_before_s=30,
            resume_grace_s=15,
            history=50,
            languages=Languages({}),
        )
        self.session = TranscriptionStream("stream", options, resources, Caller())
        self.began_at = asyncio.get_running_loop().time()
        self.told: list[tuple[float, SessionEvent]] = []

    async def speak(self, seconds: float, probability: float = 1.0) -> None:
        """The detector hears it, and audio comes."""
        clock = asyncio.get_running_loop().time
        for _ in range(round(seconds / FRAME_S)):
            await asyncio.sleep(FRAME_S)
            self.session.push(bytes(1_024))
            self.ears.frame(probability, clock(), FRAME_S)

    def of(self, kind: type[SessionEvent]) -> list[float]:
        """When events of a kind were told."""
        return [round(at, 2) for at, event in self.told if isinstance(event, kind)]

    async def take(self) -> None:
        """Read all that is told."""
        while True:
            _, event = await self.session.outbox.take()
            self.told.append((asyncio.get_running_loop().time() - self.began_at, event))


@asynccontextmanager
async def streamed(
    options: TranscriptionOptions = OPTIONS, max_session_s: float = 3_600.0, failure: Exception | None = None
) -> AsyncGenerator[Streamed, None]:
    stream = Streamed(options, max_session_s)
    stream.ears.failure = failure
    reader = asyncio.create_task(stream.take())
    running = asyncio.create_task(stream.session.run())
    await asyncio.sleep(0)
    try:
        yield stream
        await running
        await asyncio.sleep(0.01)
    finally:
        running.cancel()
        reader.cancel()
        await asyncio.wait({running, reader})
    assert isinstance(stream.told[-1][1], CallEnded)


def partial(text: str) -> RecognitionResult:
    return RecognitionResult(text, False, 0.5)


async def test_partials_come_in_the_rhythm_that_was_asked_for_while_somebody_speaks_and_not_after() -> None:
    async with streamed() as stream:
        speaking = asyncio.create_task(stream.speak(1.5))
        await asyncio.sleep(0.301)
        for n in range(10):
            stream.ears.result(partial(f"words {n}"))
            await asyncio.sleep(0.06)
        await speaking
        await stream.speak(1.0, probability=0.0)
        stream.session.end(EndReason.CALLER_ENDED)
    partials = [(round(at, 2), event) for at, event in stream.told if isinstance(event, Transcribed)]
    times = [at for at, _ in partials[:-1]]
    assert times == [0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7], "the last one in the detector's hangover"
    assert [event.text for _, event in partials[:3]] == ["words 0", "words 3", "words 6"]
    assert partials[5][1].last_sample > partials[4][1].last_sample, "the same words, heard further"
    assert len(stream.of(TurnChanged)) == 2
    assert stream.metrics.registry.get_sample_value("voice_transcription_first_partial_seconds_count") == 1


async def test_without_partials_finals_come_all_the_same() -> None:
    async with streamed(replace(OPTIONS, interim=False)) as stream:
        await stream.speak(0.5)
        stream.ears.result(partial("one"))
        await stream.speak(0.5)
        stream.ears.last_words = RecognitionResult("One.", True, 1.0)
        stream.session.end(EndReason.CALLER_ENDED)
    assert [event.text for _, event in stream.told if isinstance(event, Transcribed)] == ["One."]


@pytest.mark.parametrize("reason", [EndReason.CALLER_ENDED, EndReason.IDLE, EndReason.DRAINED])
async def test_whoever_waits_for_it_gets_the_last_final_before_the_end(reason: EndReason) -> None:
    async with streamed() as stream:
        await stream.speak(0.5)
        stream.ears.last_words = RecognitionResult("The last words.", True, 1.0)
        stream.session.end(reason)
    assert [type(event) for _, event in stream.told[-2:]] == [Transcribed, CallEnded]
    assert stream.told[-1][1] == CallEnded(reason)


async def test_nobody_waits_for_the_words_of_a_caller_who_is_gone() -> None:
    async with streamed() as stream:
        await stream.speak(0.5)
        stream.session.end(EndReason.CALLER_GONE)
    assert not stream.ears.closed.is_set()


@pytest.mark.parametrize(("reason", "limit_s"), [(EndReason.CALLER_ENDED, 10.0), (EndReason.DRAINED, 1.5)])
async def test_a_recogniser_that_does_not_finish_is_waited_for_so_long_and_what_is_known_is_told(
    reason: EndReason, limit_s: float
) -> None:
    async with streamed(replace(OPTIONS, max_lag_s=60)) as stream:
        stream.ears.flush_s = 3_600.0
        await stream.speak(0.512)
        stream.ears.result(partial("the last"))
        stream.session.end(reason)
    known, ended = stream.told[-2:]
    assert isinstance(known[1], Transcribed)
    assert (known[1].text, known[1].final) == ("the last", False)
    assert any(isinstance(event, Failed) and "may be missing" in event.sentence for _, event in stream.told)
    assert ended[0] == pytest.approx(0.512 + limit_s, abs=0.1)


async def test_a_stream_that_brings_nothing_is_ended_and_one_that_is_held_back_is_not_idle() -> None:
    async with streamed(replace(OPTIONS, idle_s=5.0)) as stream:
        await stream.speak(1.0)
        stream.session.hold(True)
        await asyncio.sleep(20.0)
        stream.session.hold(False)
    assert stream.told[-1][1] == CallEnded(EndReason.IDLE, "nothing came for 5 s")
    assert stream.told[-1][0] == pytest.approx(1.0 + 20.0 + 5.0 + 0.3, abs=0.1)


async def test_the_longest_duration_is_told_before_it_ends_the_stream() -> None:
    async with streamed(replace(OPTIONS, idle_s=1e9), max_session_s=100.0) as stream:
        await asyncio.sleep(80.0)
    assert stream.of(GoAway) == [70.0]
    assert isinstance(stream.told[-1][1], CallEnded)
    assert (stream.told[-1][1].reason, round(stream.told[-1][0], 1)) == (EndReason.MAX_DURATION, 100.3)


async def test_a_recogniser_that_is_lost_ends_the_stream_with_one_error() -> None:
    async with streamed(failure=Unavailable("asr", "it is gone")) as stream:
        await asyncio.sleep(1.0)
    assert [event for _, event in stream.told] == [
        Failed(Failure.ASR_UNAVAILABLE, "it is gone", True, 0.0, True),
        CallEnded(EndReason.FAILED, "it is gone"),
    ]


async def test_a_fault_of_the_gateway_is_told_without_its_details() -> None:
    async with streamed(failure=ValueError("a secret")) as stream:
        await asyncio.sleep(1.0)
    (_, failure), (_, ended) = stream.told
    assert isinstance(failure, Failed)
    assert (failure.failure, failure.fatal) == (Failure.INTERNAL, True)
    assert ended == CallEnded(EndReason.FAILED)
