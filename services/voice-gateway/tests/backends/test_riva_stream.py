"""A recognition stream that dies loses no audio, and times stay those of the call."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TypeAlias, cast

import grpc
import pytest
from riva.client.proto import riva_asr_pb2 as riva
from voice_gateway.backends.endpoint import Health, Tier
from voice_gateway.backends.endpoints import Endpoints
from voice_gateway.backends.riva_asr import RivaRecognitionStream
from voice_gateway.backends.riva_config import AsrSettings
from voice_gateway.core.transcript import RecognitionResult
from voice_gateway.errors import Broken, TooSlow, Unavailable

pytestmark = pytest.mark.looptime

SETTINGS = AsrSettings(
    stop_history_ms=400, stop_history_eou_ms=0, chunk_s=0.1, buffer_s=5.0, keepalive_s=15.0,
    connect_timeout_s=5.0, outage_s=30.0,
)  # fmt: skip
Request: TypeAlias = "riva.StreamingRecognizeRequest"
Response: TypeAlias = "riva.StreamingRecognizeResponse"


class NoMessage:
    """Stands for bytes that gRPC could not decode: it reads None of them."""


class Stream:
    """One call of StreamingRecognize: what it was sent, and what the test lets it answer."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.requests: list[Request] = []
        self.answers: asyncio.Queue[Response | Exception | NoMessage | None] = asyncio.Queue(100)

    async def write(self, request: Request) -> None:
        self.requests.append(request)

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Response:
        answer = await self.answers.get()
        if answer is None:
            raise StopAsyncIteration
        if isinstance(answer, Exception):
            raise answer
        return None if isinstance(answer, NoMessage) else answer

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
    """One server, as an endpoint whose stub is itself."""

    def __init__(self, servers: "Servers", name: str = "one") -> None:
        self.name = name
        self.health = Health.SERVING
        self.tier = Tier.PRIMARY
        self.trouble = ""
        self.connection = 1
        self.failures = 0
        self.refuses: Exception | None = None
        self._servers = servers

    def stub(self, kind: object) -> "Server":
        return self

    def count(self, call: object) -> None:
        pass

    def answered(self) -> None:
        self.failures = 0

    def failed(self) -> None:
        self.failures += 1

    def StreamingRecognize(self) -> Stream:
        self._servers.streams.append(stream := Stream(self))
        if self.refuses:
            stream.answers.put_nowait(self.refuses)
        return stream


class Servers:
    """All servers, and every stream that was opened on one of them."""

    def __init__(self, *names: str) -> None:
        self.streams: list[Stream] = []
        self.all = [Server(self, name) for name in names or ("one",)]
        self._listeners: set[Callable[[], None]] = set()

    def pick(self) -> Server:
        return min(self.all, key=lambda server: (server.health.value, server.failures))

    def elsewhere(self, endpoint: Server, connection: int) -> bool:
        others = [other for other in self.all if other.health is Health.SERVING and not other.failures]
        return any(other is not endpoint or other.connection > connection for other in others)

    def should_return(self, endpoint: Server) -> bool:
        return False

    @contextmanager
    def notifying(self, changed: Callable[[], None]) -> Iterator[None]:
        self._listeners.add(changed)
        yield
        self._listeners.discard(changed)

    def become(self, place: int, health: Health) -> None:
        """A server's health changes."""
        self.all[place].health = health
        for listener in tuple(self._listeners):
            listener()


def recognition(servers: Servers, settings: AsrSettings) -> RivaRecognitionStream:
    """One call's recognition."""
    configs = {tier: riva.StreamingRecognitionConfig(interim_results=True) for tier in Tier}
    return RivaRecognitionStream(cast(Endpoints, servers), settings, configs)


class TranscriptState:
    """A recognition stream at work."""

    def __init__(self, *names: str, settings: AsrSettings = SETTINGS) -> None:
        self.server = Servers(*names)
        self.results: list[RecognitionResult] = []
        self.recognition = recognition(self.server, settings)

    @property
    def stream(self) -> Stream:
        return self.server.streams[-1]


@asynccontextmanager
async def listening(*names: str) -> AsyncGenerator[TranscriptState, None]:
    found = TranscriptState(*names)
    task = asyncio.create_task(found.recognition.run(found.results.append))
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
        call.recognition.push(audio(0.04), urgent=False)
        call.recognition.push(audio(0.04), urgent=False)
        await asyncio.sleep(0.01)
        assert call.stream.audio == b""
        call.recognition.push(audio(0.04), urgent=False)
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(0.12)
        call.recognition.push(audio(0.02), urgent=True)
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(0.14)


async def test_a_finished_utterance_sends_what_is_left_and_asks_for_the_final() -> None:
    async with listening() as call:
        call.recognition.push(audio(0.04), urgent=False)
        call.recognition.finish_utterance()
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(0.04)
        assert dict(call.stream.requests[-1].runtime_config) == {"force_eou": "true"}


async def test_a_stream_that_dies_is_opened_again_with_the_audio_no_final_stands_for() -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hel", final=False, processed_s=0.5)
        await asyncio.sleep(0.01)
        call.stream.end()
        call.recognition.push(audio(0.05, 2), urgent=False)
        await asyncio.sleep(0.5)
        assert len(call.server.streams) == 2
        assert call.stream.audio == audio(1.0) + audio(0.05, 2)
        call.recognition.push(audio(0.1, 3), urgent=True)
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(1.0) + audio(0.05, 2) + audio(0.1, 3)


async def test_audio_sent_while_a_final_was_on_its_way_is_not_lost_with_the_stream() -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0, 1), urgent=True)
        await asyncio.sleep(0.01)
        call.recognition.push(audio(0.5, 2), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hello", final=True, processed_s=1.0)
        await asyncio.sleep(0.01)
        assert call.recognition.open_audio == audio(0.5, 2)
        call.stream.end()
        await asyncio.sleep(0.5)
        call.recognition.push(audio(0.1, 3), urgent=True)
        await asyncio.sleep(0.01)
        assert call.stream.audio == audio(0.5, 2) + audio(0.1, 3)


async def test_what_waits_for_a_new_stream_is_sent_without_new_audio() -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hel", final=False, processed_s=0.5)
        call.stream.end()
        await asyncio.sleep(0.5)
        assert call.stream.audio == audio(1.0)


async def test_a_final_that_does_not_say_how_far_it_reaches_stands_for_all_that_was_sent() -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hello", final=True)
        await asyncio.sleep(0.01)
        assert call.recognition.open_audio == b""


async def test_on_a_new_stream_times_are_still_those_of_the_call() -> None:
    async with listening() as call:
        call.recognition.push(audio(2.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("one", final=True, processed_s=2.0, word_ends_ms=1500)
        await asyncio.sleep(0.01)
        call.stream.end()
        await asyncio.sleep(0.5)
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("two", final=True, processed_s=1.0, word_ends_ms=500)
        await asyncio.sleep(0.01)
        assert [result.audio_processed_s for result in call.results] == [2.0, 3.0]
        assert [result.words[0].end_s for result in call.results] == [1.5, 2.5]


async def test_silence_keeps_a_quiet_stream_alive_without_counting_as_audio_of_the_call() -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(31.0)
        assert call.stream.audio == audio(1.0) + bytes(2 * 3200)
        assert call.recognition.received_s == 1.0
        call.stream.say("a", final=True, processed_s=1.2, word_ends_ms=1200)
        await asyncio.sleep(0.01)
        assert call.results[0].audio_processed_s == pytest.approx(1.0)


async def test_a_recogniser_too_far_behind_fails_instead_of_losing_words() -> None:
    call = TranscriptState()
    for _ in range(5):
        call.recognition.push(audio(1.0), urgent=True)
    with pytest.raises(TooSlow, match="5 s behind; hang up and try again"):
        call.recognition.push(audio(0.1), urgent=True)
    assert len(call.recognition.open_audio) == len(audio(5.0))


def status(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "on purpose")


async def ended(call: TranscriptState) -> float:
    """When `run` raised; every stream ends at once meanwhile."""
    task = asyncio.create_task(call.recognition.run(call.results.append))
    began = asyncio.get_running_loop().time()
    while not task.done():
        await asyncio.sleep(0.1)
        call.stream.end()
    with pytest.raises(Unavailable, match="closed the stream at once"):
        await task
    return asyncio.get_running_loop().time() - began


async def test_a_server_that_closes_every_stream_at_once_is_given_up_when_it_was_away_for_long() -> None:
    call = TranscriptState()
    assert 30 <= await ended(call) < 33
    assert len(call.server.streams) > 20


@pytest.mark.parametrize("away_s", [4, 25, 30])
async def test_a_call_lives_through_the_absence_of_its_only_server_and_all_audio_is_heard(away_s: int) -> None:
    call = TranscriptState(settings=replace(SETTINGS, buffer_s=60.0, outage_s=40.0))
    running = asyncio.create_task(call.recognition.run(call.results.append))
    call.recognition.push(audio(1.0), urgent=True)
    await asyncio.sleep(0.01)
    call.stream.say("hel", final=False, processed_s=0.5)
    await asyncio.sleep(0.01)
    call.server.all[0].refuses = status(grpc.StatusCode.UNAVAILABLE)
    call.stream.answers.put_nowait(status(grpc.StatusCode.UNAVAILABLE))
    for _ in range(away_s * 10):
        call.recognition.push(audio(0.1, 2), urgent=False)
        await asyncio.sleep(0.1)
    call.server.all[0].refuses = None
    await asyncio.sleep(1.2)
    assert not running.done()
    assert call.stream.audio == audio(1.0) + audio(away_s, 2)
    running.cancel()


async def test_a_silent_caller_leaves_little_audio_to_hear_again_after_an_absence() -> None:
    async with listening() as call:
        call.server.all[0].refuses = status(grpc.StatusCode.UNAVAILABLE)
        call.stream.answers.put_nowait(status(grpc.StatusCode.UNAVAILABLE))
        for _ in range(200):
            call.recognition.push(audio(0.1), urgent=False)
            call.recognition.trim_silence()
            await asyncio.sleep(0.1)
        call.server.all[0].refuses = None
        await asyncio.sleep(1.2)
        assert len(call.stream.audio) < len(audio(2.0))


async def test_words_that_the_detector_missed_are_heard_again_whole() -> None:
    async with listening() as call:
        call.recognition.push(audio(3.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hello", final=False, processed_s=1.0)
        await asyncio.sleep(0.01)
        call.recognition.trim_silence()
        call.stream.end()
        await asyncio.sleep(0.5)
        call.recognition.trim_silence()
        assert call.stream.audio == audio(3.0)
        call.stream.say("hello there", final=True, processed_s=2.9)
        await asyncio.sleep(0.01)
        call.recognition.push(audio(2.0, 2), urgent=True)
        await asyncio.sleep(0.01)
        call.recognition.push(audio(1.5, 3), urgent=True)
        await asyncio.sleep(0.01)
        call.recognition.trim_silence()
        assert call.recognition.open_audio == audio(1.5, 3), "after the final they are not open any more"


async def test_a_configuration_that_was_never_taken_is_not_tried_again() -> None:
    call = TranscriptState()
    call.server.all[0].refuses = status(grpc.StatusCode.INVALID_ARGUMENT)
    with pytest.raises(Broken, match="INVALID_ARGUMENT: on purpose"):
        await call.recognition.run(call.results.append)
    assert len(call.server.streams) == 1


@pytest.mark.parametrize("code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND])
async def test_a_stream_that_worked_and_was_freed_by_the_server_is_opened_again(code: grpc.StatusCode) -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hel", final=False, processed_s=0.5)
        call.stream.answers.put_nowait(status(code))
        await asyncio.sleep(0.5)
        assert len(call.server.streams) == 2
        assert call.stream.audio == audio(1.0)


async def test_a_stream_that_stood_for_long_without_a_word_and_was_freed_is_opened_again() -> None:
    async with listening() as call:
        await asyncio.sleep(70)
        call.stream.answers.put_nowait(status(grpc.StatusCode.INVALID_ARGUMENT))
        await asyncio.sleep(0.5)
        assert len(call.server.streams) == 2


async def test_what_can_not_be_decoded_ends_the_stream_and_not_the_call() -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.answers.put_nowait(NoMessage())
        await asyncio.sleep(0.5)
        assert call.stream.audio == audio(1.0)


async def test_a_server_that_answers_nothing_is_left_for_one_that_serves_and_no_audio_is_lost() -> None:
    async with listening("one", "two") as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hel", final=False, processed_s=0.5)
        await asyncio.sleep(0.8)
        call.server.become(0, Health.SILENT)
        await asyncio.sleep(0.1)
        assert len(call.server.streams) == 1, "it said something 0.9 s ago"
        call.recognition.push(audio(0.2, 2), urgent=True)
        await asyncio.sleep(0.15)
        assert [stream.server.name for stream in call.server.streams] == ["one", "two"]
        assert call.stream.audio == audio(1.0) + audio(0.2, 2)


async def test_a_server_that_answers_nothing_is_kept_while_there_is_no_other_or_it_goes_on() -> None:
    async with listening("one", "two") as call:
        call.server.become(0, Health.SILENT)
        for n in range(1, 50):
            call.server.become(1, Health.SERVING if n % 2 else Health.DOWN)
            call.recognition.push(audio(0.1), urgent=True)
            call.stream.say("slow but there", final=False, processed_s=n / 100)
            await asyncio.sleep(0.9)
        call.server.become(1, Health.DOWN)
        await asyncio.sleep(30)
        assert len(call.server.streams) == 1


async def test_moving_again_and_again_takes_more_and_more_patience_until_a_final() -> None:
    async with listening("one", "two") as call:
        for place, patience_s in ((0, 1), (1, 2), (0, 4)):
            call.server.become(1 - place, Health.SERVING)
            call.server.all[1 - place].failures = 0
            call.server.become(place, Health.SILENT)
            count = len(call.server.streams)
            await asyncio.sleep(patience_s - 0.3)
            assert len(call.server.streams) == count
            await asyncio.sleep(0.4)
            assert len(call.server.streams) == count + 1


async def test_a_server_that_leaves_is_left_after_the_next_final() -> None:
    async with listening("one", "two") as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.server.become(0, Health.NOT_SERVING)
        await asyncio.sleep(5)
        assert len(call.server.streams) == 1, "in the midst of an utterance"
        call.recognition.push(audio(0.1, 2), urgent=True)
        await asyncio.sleep(0.01)
        call.stream.say("hello", final=True, processed_s=1.0)
        await asyncio.sleep(0.01)
        assert [stream.server.name for stream in call.server.streams] == ["one", "two"]
        assert call.stream.audio == audio(0.1, 2)
        assert [result.text for result in call.results] == ["hello"]


async def test_a_server_that_leaves_is_left_at_once_by_a_caller_who_is_silent() -> None:
    async with listening("one", "two") as call:
        call.recognition.push(audio(3.0), urgent=True)
        await asyncio.sleep(0.01)
        call.recognition.trim_silence()
        call.server.become(0, Health.NOT_SERVING)
        call.recognition.trim_silence()
        await asyncio.sleep(0.01)
        assert call.stream.server.name == "two"


async def test_a_fresh_connection_to_the_same_server_takes_over_from_one_that_leads_nowhere() -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        call.server.become(0, Health.DOWN)
        await asyncio.sleep(5)
        assert len(call.server.streams) == 1
        call.server.all[0].connection = 2
        call.server.become(0, Health.SERVING)
        await asyncio.sleep(0.01)
        assert len(call.server.streams) == 2
        assert call.stream.audio == audio(1.0)


async def test_results_that_bring_nothing_new_are_not_told() -> None:
    async with listening() as call:
        call.recognition.push(audio(2.0), urgent=True)
        await asyncio.sleep(0.01)
        for text, processed_s in (("", 0.5), ("", 0.5), ("hel", 0.5), ("", 0.5), ("hel", 0.5), ("", 0.7), ("", 0.7)):
            call.stream.say(text, final=False, processed_s=processed_s)
        await asyncio.sleep(0.01)
        told = [(result.text, result.audio_processed_s) for result in call.results]
        assert [(text, round(at or 0, 3)) for text, at in told] == [("", 0.5), ("hel", 0.5), ("", 0.7)]


async def test_a_recogniser_is_never_ahead_of_what_it_was_sent() -> None:
    async with listening() as call:
        call.recognition.push(audio(1.0), urgent=True)
        await asyncio.sleep(0.01)
        for processed_s in (float("nan"), float("inf"), -1.0, 1e30):
            call.stream.say("hello", final=True, processed_s=processed_s, word_ends_ms=2_000_000_000)
        await asyncio.sleep(0.01)
        assert [result.audio_processed_s for result in call.results] == [None, None, None, 1.0]
        assert {word.end_s for result in call.results for word in result.words} == {1.0}
