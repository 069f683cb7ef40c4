"""How does a call's audio become words? One Riva StreamingRecognize stream per call, reopened when it dies.

A stream that dies loses nothing: audio since the last final is sent again on the next one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import grpc
from riva.client.proto import riva_asr_pb2 as riva
from riva.client.proto import riva_audio_pb2
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from voice_gateway.backends.seams import deadline, riva_errors
from voice_gateway.core.events import INPUT_RATE_HZ, WordTime
from voice_gateway.core.transcript import Recognised
from voice_gateway.errors import TooSlow, Unavailable, Upstream
from voice_gateway.ports import ListenOptions

BYTES_PER_S = INPUT_RATE_HZ * 2
_SILENCE = bytes(BYTES_PER_S // 10)
_PRE_ROLL_S = 1.0
_REPLAY_S = 30.0
"""Audio kept for a new stream; Riva's finals come at least this often."""
_REOPEN_AFTER_S = 0.1
"""A stream that worked and ended is reopened after this, so that a server that keeps ending them is not flooded."""

log = logging.getLogger(__name__)

Stream: TypeAlias = "grpc.aio.StreamStreamCall[riva.StreamingRecognizeRequest, riva.StreamingRecognizeResponse]"


@dataclass(frozen=True, slots=True)
class AsrSettings:
    """What an operator chose."""

    model: str
    stop_history_ms: int
    stop_history_eou_ms: int
    chunk_s: float
    buffer_s: float
    keepalive_s: float
    connect_timeout_s: float
    retries: int


class RivaRecogniser:
    """Opens recognition streams on one shared channel."""

    def __init__(self, channel: grpc.aio.Channel, settings: AsrSettings) -> None:
        self._stub = RivaSpeechRecognitionStub(channel)
        self._settings = settings

    def listen(self, options: ListenOptions) -> "RivaEar":
        """A stream for one call."""
        return RivaEar(self._stub, self._settings, _streaming_config(self._settings, options))


class RivaEar:
    """One call's stream. `run` serves it; `push` never blocks."""

    def __init__(
        self, stub: RivaSpeechRecognitionStub, settings: AsrSettings, config: riva.StreamingRecognitionConfig
    ) -> None:
        self._stub = stub
        self._settings = settings
        self._config = config
        self._pending = _Audio(settings.buffer_s)
        self._unsettled = _Audio(_REPLAY_S)
        self._wake = asyncio.Event()
        self._finish = False
        self._asked = False
        """A final was asked for on the open stream and has not come."""
        self._stuck = False
        self._worked = False
        self._received_bytes = 0
        self._stream_began_s = 0.0
        """Where in the call's audio the open stream begins; keep-alive silence moves it back."""

    @property
    def received_s(self) -> float:
        """Audio of the caller taken so far."""
        return self._received_bytes / BYTES_PER_S

    @property
    def open_audio(self) -> bytes:
        """What a new stream would be sent first."""
        return self._unsettled.peek() + self._pending.peek()

    def push(self, pcm16: bytes, *, urgent: bool) -> None:
        """Queue audio; a recogniser too far behind fails instead of losing words."""
        if self._pending.seconds >= self._settings.buffer_s:
            raise TooSlow("asr", f"speech recognition is {self._settings.buffer_s:g} s behind; hang up and try again")
        self._received_bytes += len(pcm16)
        self._pending.append(pcm16)
        if urgent or self._pending.seconds >= self._settings.chunk_s:
            self._wake.set()

    def forget(self) -> None:
        """A stream that dies now needs little of the silence before."""
        self._unsettled.trim(_PRE_ROLL_S)

    def finish_utterance(self) -> None:
        """Send what is left and ask for a final now (`force_eou`, where the recogniser knows it)."""
        self._finish = True
        self._wake.set()

    def reopen(self) -> None:
        """Give the open stream up."""
        self._stuck = True
        self._wake.set()

    async def run(self, told: Callable[[Recognised], None]) -> None:
        """Serve the stream until cancelled; `told` gets each result. Raises Upstream when it can't be kept up."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, Upstream) and error.retryable),
            stop=stop_after_attempt(self._settings.retries + 1),
            wait=wait_exponential_jitter(multiplier=0.1, max=2.0, jitter=0.1),
            reraise=True,
        )
        while True:
            async for attempt in retrying:
                with attempt:
                    await self._serve_once(told)
            await asyncio.sleep(_REOPEN_AFTER_S)

    async def _serve_once(self, told: Callable[[Recognised], None]) -> None:
        """One stream from its configuration to its end. Returns when it ended after it had worked."""
        self._pending.prepend(self._unsettled.take())
        self._finish, self._stuck = self._finish or self._asked, False
        if self._finish or self._pending.seconds:
            self._wake.set()  # a caller who fell silent brings no more audio that could
        self._stream_began_s = self.received_s - self._pending.seconds
        self._worked = False
        call = self._stub.StreamingRecognize()
        try:
            await self._configure(call)
            failure = await self._converse(call, told)
        finally:
            call.cancel()
        if self._worked and (failure is None or failure.retryable):
            log.warning("a recognition stream ended: %s; opening another", str(failure or "the server closed it"))
            return
        raise failure or Unavailable("asr", "speech recognition closed the stream at once; check its log")

    async def _configure(self, call: Stream) -> None:
        limit_s = self._settings.connect_timeout_s
        with riva_errors("asr"), deadline("asr", limit_s, "stream"):
            async with asyncio.timeout(limit_s):
                await call.write(riva.StreamingRecognizeRequest(streaming_config=self._config))

    async def _converse(self, call: Stream, told: Callable[[Recognised], None]) -> Upstream | None:
        """Both directions until the stream ends; what ended it."""
        failures: list[Upstream] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(call), name="asr writer")
                with riva_errors("asr"):
                    async for response in call:
                        self._worked = True
                        self._tell(response, told)
                writer.cancel()
        except* Upstream as group:
            failures += (error for error in group.exceptions if isinstance(error, Upstream))
        return failures[0] if failures else None

    async def _write(self, call: Stream) -> None:
        """Audio as it comes. Raises TooSlow when the stream is given up, or takes nothing for longer than a
        recogniser that is behind may need."""
        limit_s = self._settings.buffer_s
        while True:
            try:
                async with asyncio.timeout(self._settings.keepalive_s):
                    await self._wake.wait()
            except TimeoutError:
                if not self._pending.seconds:
                    self._stream_began_s -= len(_SILENCE) / BYTES_PER_S
            if self._stuck:
                raise TooSlow("asr", "speech recognition says nothing any more; try again")
            audio = self._pending.take()
            self._unsettled.append(audio)
            self._wake.clear()
            if not audio and not self._finish:
                audio = _SILENCE
            request = riva.StreamingRecognizeRequest(audio_content=audio)
            if self._finish:
                self._finish, self._asked = False, True
                request.runtime_config["force_eou"] = "true"
            try:
                with deadline("asr", limit_s, "sign that it takes audio"):
                    async with asyncio.timeout(limit_s):
                        await call.write(request)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return  # the reader is told why

    def _tell(self, response: riva.StreamingRecognizeResponse, told: Callable[[Recognised], None]) -> None:
        for result in recognised(response):
            result = _moved(result, self._stream_began_s)
            if result.final:
                self._asked = False
                self._settle(result.audio_processed_s)
            told(result)

    def _settle(self, until_s: float | None) -> None:
        """A final stands for the audio up to `until_s`; what was sent while it was on its way is still open."""
        sent = self._unsettled.take()
        if until_s is not None:
            open_bytes = round((self.received_s - self._pending.seconds - until_s) * INPUT_RATE_HZ) * 2
            if open_bytes > 0:
                self._unsettled.append(sent[-open_bytes:])


class _Audio:
    """PCM16 at the input rate, at most `limit_s` of it: the oldest goes first."""

    def __init__(self, limit_s: float) -> None:
        self._limit_bytes = int(limit_s * BYTES_PER_S)
        self._pieces: deque[bytes] = deque()
        self._bytes = 0

    @property
    def seconds(self) -> float:
        return self._bytes / BYTES_PER_S

    def append(self, pcm16: bytes) -> None:
        self._pieces.append(pcm16)
        self._bytes += len(pcm16)
        while self._bytes > self._limit_bytes and len(self._pieces) > 1:
            self._bytes -= len(self._pieces.popleft())

    def prepend(self, pcm16: bytes) -> None:
        self._pieces.appendleft(pcm16)
        self._bytes += len(pcm16)

    def trim(self, keep_s: float) -> None:
        while self._pieces and self._bytes - len(self._pieces[0]) > keep_s * BYTES_PER_S:
            self._bytes -= len(self._pieces.popleft())

    def peek(self) -> bytes:
        return b"".join(self._pieces)

    def take(self) -> bytes:
        audio = self.peek()
        self._pieces.clear()
        self._bytes = 0
        return audio


def recognised(response: riva.StreamingRecognizeResponse) -> list[Recognised]:
    """The results of one response. Partials of one response are segments of one text; a result without
    alternatives only tells how far the recogniser has come."""
    found: list[Recognised] = []
    partials = [result for result in response.results if not result.is_final]
    for result in response.results:
        if result.is_final and result.alternatives:
            best = result.alternatives[0]
            words = tuple(
                WordTime(word.word, word.start_time / 1000, word.end_time / 1000, word.confidence)
                for word in best.words
            )
            found.append(Recognised(best.transcript, True, 1.0, result.audio_processed or None, words))
    if partials:
        text = "".join(part.alternatives[0].transcript for part in partials if part.alternatives)
        processed_s = max(part.audio_processed for part in partials) or None
        found.append(Recognised(text, False, min(part.stability for part in partials), processed_s))
    return found


def _moved(result: Recognised, by_s: float) -> Recognised:
    """Times of a stream as times of the call."""
    processed_s = None if result.audio_processed_s is None else by_s + result.audio_processed_s
    words = tuple(
        replace(word, start_s=max(0.0, by_s + word.start_s), end_s=max(0.0, by_s + word.end_s)) for word in result.words
    )
    return replace(result, audio_processed_s=processed_s, words=words)


def _streaming_config(settings: AsrSettings, options: ListenOptions) -> riva.StreamingRecognitionConfig:
    config = riva.RecognitionConfig(
        encoding=riva_audio_pb2.AudioEncoding.LINEAR_PCM,
        sample_rate_hertz=INPUT_RATE_HZ,
        audio_channel_count=1,
        language_code=options.language,
        max_alternatives=1,
        enable_automatic_punctuation=True,
        enable_word_time_offsets=True,
        model=settings.model,
        speech_contexts=[riva.SpeechContext(phrases=[phrase], boost=boost) for phrase, boost in options.hotwords],
    )
    if settings.stop_history_ms:
        config.endpointing_config.stop_history = settings.stop_history_ms
    if settings.stop_history_eou_ms:
        config.endpointing_config.stop_history_eou = settings.stop_history_eou_ms
    return riva.StreamingRecognitionConfig(config=config, interim_results=True)
