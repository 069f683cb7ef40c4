"""A recognition stream that dies loses no audio, and times stay those of the call."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeAlias

import pytest
from riva.client.proto import riva_asr_pb2 as riva
from voice_gateway.backends.riva_asr import AsrSettings, RivaEar
from voice_gateway.core.transcript import Recognised
from voice_gateway.errors import TooSlow, Unavailable

pytestmark = pytest.mark.looptime

SETTINGS = AsrSettings(
    model="", stop_history_ms=400, stop_history_eou_ms=0, chunk_s=0.1, buffer_s=5.0, keepalive_s=15.0,
    connect_timeout_s=5.0, retries=2,
)  # fmt: skip
Request: TypeAlias = "riva.StreamingRecognizeRequest"
Response: TypeAlias = "riva.StreamingRecognizeResponse"


class Stream:
    """One call of StreamingRecognize: what it was sent, and what the test lets it answer."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: asyncio.Queue[Response | None] = asyncio.Queue(100)

    async def write(self, request: Request) -> None:
        self.requests.append(request)

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Response:
        answer = await self.answers.get()
        if answer is None:
            raise StopAsyncIteration
        return answer

    def cancel(self) -> None:
        self.answers.put_nowait(None)

    @property
    def audio(self) -> bytes:
        return b"".join(request.audio_content for request in self.requests)

    def say(self, text: str, *, final: bool, processed_s: float = 0.0, word_ends_ms: int = 0) -> None:
        """Answer with one result."""
        best = riva.SpeechRecognitionAlternative(transcript=text)
        if word_ends_ms:
            best.words.append(riva.WordInfo(word=text, start_time=word_ends_ms - 100, end_time=word_ends_ms))
        result = riva.StreamingRecognitionResult(alternatives=[best], is_final=final, audio_processed=processed_s)
        self.answers.put_nowait(riva.StreamingRecognizeResponse(results=[result]))

    def end(self) -> None:
        """The server closes the stream."""
        self.answers.put_nowait(None)


class Server:
    """Every stream that was opened."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []

    def StreamingRecognize(self) -> Stream:
        self.streams.append(Stream())
        return self.streams[-1]


class Listening:
    """An ear at work."""

    def __init__(self) -> None:
        self.server = Server()
        self.results: list[Recognised] = []
        self.ear = RivaEar(self.server, SETTINGS, riva.StreamingRecognitionConfig(interim_results=True))

    @property
    def stream(self) -> Stream:
        return self.server.streams[-1]


@asynccontextmanager
async def listening() -> AsyncGenerator[Listening, None]:
    found = Listening()
    task = asyncio.create_task(found.ear.run(found.results.append))
    await asyncio.sleep(0.01)
    yield found
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def audio(seconds: float, value: int = 1) -> bytes:
    return bytes([value, 0]) * round(seconds * 16_000)


async def test_the_configuration_goes_first() -> None:
    async with listening() as call:
        assert [request.WhichOneof("streaming_request") for request in call.stream.requests] == ["streaming_config"]


async def test_audio_waits_for_a_full_chunk_unless_it_is_urgent() -> None:
    async with listening() as call:
        call.ear.push(audio(0.04), urgent=False)
        call.ear.push(audio(0.04), urgent=False)
        await asyncio.sleep(0.01)
        assert call.stream.audio == b""
        call.ear.push(audio(0.04), urgent=False)
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(0.12)
        call.ear.push(audio(0.02), urgent=True)
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(0.14)


async def test_a_finished_utterance_sends_what_is_left_and_asks_for_the_final() -> None:
    async with listening() as call:
        call.ear.push(audio(0.04), urgent=False)
        call.ear.finish_utterance()
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(0.04)
        assert dict(call.stream.requests[-1].runtime_config) == {"force_eou": "true"}


async def test_a_stream_that_dies_is_opened_again_with_the_audio_no_final_stands_for() -> None:
    async with listening() as call:
        call.ear.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hel", final=False, processed_s=0.5)
        await asyncio.sleep(0.01)
        call.stream.end()
        call.ear.push(audio(0.05, 2), urgent=False)
        await asyncio.sleep(0.5)
        assert len(call.server.streams) == 2
        assert call.stream.audio == audio(1.0) + audio(0.05, 2)
        call.ear.push(audio(0.1, 3), urgent=True)
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(1.0) + audio(0.05, 2) + audio(0.1, 3)


async def test_audio_sent_while_a_final_was_on_its_way_is_not_lost_with_the_stream() -> None:
    async with listening() as call:
        call.ear.push(audio(1.0, 1), urgent=True)
        await asyncio.sleep(0.01)
        call.ear.push(audio(0.5, 2), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hello", final=True, processed_s=1.0)
        await asyncio.sleep(0.01)
        assert call.ear.open_audio == audio(0.5, 2)
        call.stream.end()
        await asyncio.sleep(0.5)
        call.ear.push(audio(0.1, 3), urgent=True)
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(0.5, 2) + audio(0.1, 3)


async def test_what_waits_for_a_new_stream_is_sent_without_new_audio() -> None:
    async with listening() as call:
        call.ear.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hel", final=False, processed_s=0.5)
        call.stream.end()
        await asyncio.sleep(0.5)
        assert call.stream.audio == audio(1.0)


async def test_a_final_that_does_not_say_how_far_it_reaches_stands_for_all_that_was_sent() -> None:
    async with listening() as call:
        call.ear.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hello", final=True)
        await asyncio.sleep(0.01)
        assert call.ear.open_audio == b""


async def test_on_a_new_stream_times_are_still_those_of_the_call() -> None:
    async with listening() as call:
        call.ear.push(audio(2.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("one", final=True, processed_s=2.0, word_ends_ms=1500)
        await asyncio.sleep(0.01)
        call.stream.end()
        await asyncio.sleep(0.5)
        call.ear.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("two", final=True, processed_s=1.0, word_ends_ms=500)
        await asyncio.sleep(0.01)
        assert [result.audio_processed_s for result in call.results] == [2.0, 3.0]
        assert [result.words[0].end_s for result in call.results] == [1.5, 2.5]


async def test_silence_keeps_a_quiet_stream_alive_without_counting_as_audio_of_the_call() -> None:
    async with listening() as call:
        call.ear.push(audio(1.0), urgent=True)
        await asyncio.sleep(31.0)
        assert call.stream.audio == audio(1.0) + bytes(2 * 3200)
        assert call.ear.received_s == 1.0
        call.stream.say("a", final=True, processed_s=1.2, word_ends_ms=1200)
        await asyncio.sleep(0.01)
        assert call.results[0].audio_processed_s == pytest.approx(1.0)


async def test_a_recogniser_too_far_behind_fails_instead_of_losing_words() -> None:
    ear = RivaEar(Server(), SETTINGS, riva.StreamingRecognitionConfig())
    for _ in range(5):
        ear.push(audio(1.0), urgent=True)
    with pytest.raises(TooSlow, match="5 s behind; hang up and try again"):
        ear.push(audio(0.1), urgent=True)
    assert len(ear.open_audio) == len(audio(5.0))


async def test_a_server_that_closes_every_stream_at_once_is_given_up_after_its_retries() -> None:
    server = Server()
    ear = RivaEar(server, SETTINGS, riva.StreamingRecognitionConfig())
    task = asyncio.create_task(ear.run(lambda result: None))
    async with asyncio.timeout(60):
        while not task.done():
            await asyncio.sleep(0.1)
            server.streams[-1].end()
    with pytest.raises(Unavailable, match="closed the stream at once"):
        await task
    assert len(server.streams) == 3
