"""How does a call's audio become words? One Riva StreamingRecognize stream per call, reopened when it dies.

A stream that dies loses nothing: audio since the last final is sent again on the next one. A stream on a server that
stands still is given up while another server serves; one on a server that leaves, or that is not of the preferred
target, moves in the next gap.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TypeAlias

import grpc
from riva.client.proto import riva_asr_pb2 as riva
from riva.client.proto.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential_jitter

from voice_gateway.backends.audio_buffer import BYTES_PER_S, AudioBuffer
from voice_gateway.backends.endpoint import Tier
from voice_gateway.backends.endpoints import Endpoints
from voice_gateway.backends.errors import deadline, decoded, riva_errors
from voice_gateway.backends.riva_config import AsrSettings, streaming_configs
from voice_gateway.backends.riva_results import moved, recognised
from voice_gateway.backends.stream_placement import StreamMoved, StreamPlacement, StreamReturned
from voice_gateway.core.events import INPUT_RATE_HZ
from voice_gateway.core.progress import Progress, progressed
from voice_gateway.core.speech_types import RecognitionOptions
from voice_gateway.core.stream_time import StreamTime
from voice_gateway.core.transcript import RecognitionResult
from voice_gateway.errors import TooSlow, Unavailable, Upstream

_SILENCE = bytes(BYTES_PER_S // 10)
_STOP_HISTORY_S = 0.8
"""Riva's own, where none is asked for."""
_AND_SURE_S = 0.4
"""Silence beyond the one that is asked for: recognisers look at it in windows."""
_PRE_ROLL_S = 1.0
_REPLAY_S = 30.0
"""Audio kept for a new stream; Riva's finals come at least this often."""
_REOPEN_AFTER_S = 0.1
"""A stream that worked and ended is reopened after this, so that a server that keeps ending them is not flooded."""
_BACKOFF = wait_exponential_jitter(multiplier=0.1, max=1.0, jitter=0.1)

log = logging.getLogger(__name__)

Stream: TypeAlias = "grpc.aio.StreamStreamCall[riva.StreamingRecognizeRequest, riva.StreamingRecognizeResponse]"


class RivaRecogniser:
    """Opens recognition streams on the servers of one backend."""

    def __init__(self, endpoints: Endpoints, settings: AsrSettings) -> None:
        self._endpoints = endpoints
        self._settings = settings

    def open(self, options: RecognitionOptions) -> "RivaRecognitionStream":
        """A stream for one call."""
        return RivaRecognitionStream(self._endpoints, self._settings, streaming_configs(self._settings, options))


class RivaRecognitionStream:  # size: one stream's buffers, clock and placement change together when it is opened again
    """One call's stream. `run` serves it; `push` never blocks."""

    def __init__(
        self, endpoints: Endpoints, settings: AsrSettings, configs: Mapping[Tier, riva.StreamingRecognitionConfig]
    ) -> None:
        self._endpoints = endpoints
        self._settings = settings
        self._configs = configs
        self._pending = AudioBuffer(settings.buffer_s)
        self._unsettled = AudioBuffer(_REPLAY_S)
        self._wake = asyncio.Event()
        self._finish = False
        self._is_input_closed = False
        """No more audio comes."""
        self._has_said_all = False
        """... and the recogniser has ended its stream after the last of it."""
        self._in_silence = False
        """The caller sends nothing, silence neither."""
        self._asked = False
        """A final was asked for on the open stream and has not come."""
        self._accepted = False
        """A stream of this call worked once: its configuration is none that the recogniser refuses."""
        self._received_bytes = 0
        self._stream_time = StreamTime()
        """Where in the call's audio the open stream begins, and where silence of ours is in it."""
        self._progress = Progress()
        self._has_open_words = False
        """A partial came after the last final, on this stream or the one before."""
        self._placement: StreamPlacement | None = None
        """The open stream's, else the last one's."""
        self._is_open = False
        self._is_sent = False
        """Everything was sent on the open stream, and no more comes."""
        self._moves = 0
        """How often a stream was given up since the last final."""
        self._away_since: float | None = None
        """Since when no stream has worked, loop time."""

    @property
    def received_s(self) -> float:
        """Audio of the caller taken so far."""
        return self._received_bytes / BYTES_PER_S

    @property
    def behind_s(self) -> float:
        """Audio of the caller taken and not sent yet, or sent while no stream works, which is as good as not sent."""
        return self._pending.seconds + (0.0 if self._away_since is None else self._unsettled.seconds)

    @property
    def _sent_s(self) -> float:
        """Audio of the caller sent so far."""
        return self.received_s - self._pending.seconds

    @property
    def open_audio(self) -> bytes:
        """What a new stream would be sent first."""
        return self._unsettled.peek() + self._pending.peek()

    def push(self, pcm16: bytes, *, urgent: bool) -> None:
        """Queue audio; a recogniser too far behind fails instead of losing words."""
        if self._pending.seconds >= self._settings.buffer_s:
            raise TooSlow("asr", f"speech recognition is {self._settings.buffer_s:g} s behind; hang up and try again")
        self._received_bytes += len(pcm16)
        self._in_silence = False
        self._pending.append(pcm16)
        if urgent or self._pending.seconds >= self._settings.chunk_s:
            self._wake.set()

    def trim_silence(self) -> None:
        """A stream that dies now needs little of the silence before, and one that should move can do so now. Not so
        while words are open that the detector may have missed."""
        if self._has_open_words:
            return
        self._unsettled.trim(_PRE_ROLL_S)
        if not self._is_open:
            self._pending.trim(_PRE_ROLL_S)
        elif self._placement:
            self._placement.leave_in_gap()

    def finish_utterance(self, *, in_silence: bool = False) -> None:
        """Send what is left and ask for a final now (`force_eou`, where the recogniser knows it); `in_silence`: then
        send the silence that a recogniser waits for which does not know it."""
        self._finish, self._in_silence = True, in_silence
        self._wake.set()

    def close_input(self) -> None:
        """No more audio comes: `run` returns when the recogniser has said what it has to say."""
        self._is_input_closed = True
        self._wake.set()

    def reopen(self, *, elsewhere: bool = False) -> None:
        """Give the open stream up; with `elsewhere`, only if another server is known to serve."""
        if self._placement and self._is_open and (not elsewhere or self._placement.has_better):
            self._placement.leave()

    async def run(self, on_result: Callable[[RecognitionResult], None]) -> None:
        """Serve the stream until cancelled, or until all is said after `close_input`; `on_result` gets each result that
        brings something new. Raises Upstream when the recogniser never took a stream of this call, or none has worked
        for `outage_s`."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, Upstream) and (error.retryable or self._accepted)),
            stop=self._is_lost,
            wait=lambda attempts: 0.0 if self._placement and self._placement.has_better else _BACKOFF(attempts),
            reraise=True,
        )
        while True:
            async for attempt in retrying:
                with attempt:
                    await self._serve_once(on_result)
            if self._has_said_all:
                return
            if self._placement and not self._placement.has_better:
                await asyncio.sleep(_REOPEN_AFTER_S)

    def _is_lost(self, _: RetryCallState) -> bool:
        away_s = 0.0 if self._away_since is None else asyncio.get_running_loop().time() - self._away_since
        return away_s >= self._settings.outage_s

    async def _serve_once(self, on_result: Callable[[RecognitionResult], None]) -> None:
        """One stream from its configuration to its end. Returns when it ended after it had worked, or was given up
        because it is better elsewhere."""
        self._pending.prepend(self._unsettled.take())
        self._finish = self._finish or self._asked
        if self._finish or self._is_input_closed or self._pending.seconds:
            self._wake.set()  # a caller who fell silent brings no more audio that could
        self._stream_time = StreamTime(self._sent_s)
        self._is_sent = False
        self._progress = Progress()
        placement = self._placement = StreamPlacement(self._endpoints, self._endpoints.pick(), self._moves)
        call = placement.endpoint.stub(RivaSpeechRecognitionStub).StreamingRecognize()
        placement.endpoint.count(call)
        self._is_open = True
        try:
            failure = await self._configure(call, placement) or await self._converse(call, placement, on_result)
        finally:
            self._is_open = False
            call.cancel()
        self._has_said_all = self._is_input_closed and (self._said_all(failure) or not self.open_audio)
        if not self._has_said_all:
            self._judge(placement, failure)

    def _said_all(self, failure: Upstream | None) -> bool:
        """Whether a stream that ended this way had been sent everything, and ended for that reason."""
        return failure is None and self._is_sent and not self._pending.seconds

    def _judge(self, placement: StreamPlacement, failure: Upstream | None) -> None:
        """What the end of a stream says about its server, and whether it is a failure. Raises it."""
        is_given_up = isinstance(failure, StreamMoved)
        returns = isinstance(failure, StreamReturned)
        goes_on = returns or (is_given_up and placement.has_better)
        lasted = placement.progressed or (placement.age_s >= self._settings.connect_timeout_s and not is_given_up)
        self._accepted = self._accepted or placement.answered or lasted
        self._moves += is_given_up and not returns
        if lasted or goes_on or self._away_since is None:
            self._away_since = asyncio.get_running_loop().time()
        if not returns and not placement.is_outdated and (failure.retryable if failure else not lasted):
            placement.endpoint.failed()
        if not goes_on and not (lasted and self._accepted):
            raise failure or Unavailable("asr", "speech recognition closed the stream at once; check its log")
        log.warning("a recognition stream ended: %s; opening another", str(failure or "the server closed it"))

    async def _configure(self, call: Stream, placement: StreamPlacement) -> Upstream | None:
        config = self._configs[placement.endpoint.tier]
        limit_s = self._settings.connect_timeout_s
        try:
            with riva_errors("asr"), deadline("asr", limit_s, "stream"):
                async with asyncio.timeout(limit_s):
                    await call.write(riva.StreamingRecognizeRequest(streaming_config=config))
        except Upstream as error:
            return error
        return None

    async def _converse(
        self, call: Stream, placement: StreamPlacement, on_result: Callable[[RecognitionResult], None]
    ) -> Upstream | None:
        """Both directions until the stream ends; what ended it."""
        failures: list[Upstream] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(call), name="asr writer")
                watch = tasks.create_task(placement.watch(), name="asr stream watch")
                with riva_errors("asr"):
                    async for response in call:
                        placement.answered = True
                        self._tell(decoded("asr", response), placement, on_result)
                writer.cancel()
                watch.cancel()
        except* Upstream as group:
            failures += (error for error in group.exceptions if isinstance(error, Upstream))
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError  # a group that fails as it is cancelled tells of the failure only
        return failures[0] if failures else None

    async def _write(self, call: Stream) -> None:
        """Audio as it comes. Raises TooSlow when the stream takes nothing for longer than a recogniser that is behind
        may need."""
        limit_s = self._settings.buffer_s
        while True:
            try:
                async with asyncio.timeout(self._settings.keepalive_s):
                    await self._wake.wait()
            except TimeoutError:
                if not self._pending.seconds:
                    self._note_silence(_SILENCE)
            audio = self._pending.take()
            self._unsettled.append(audio)
            self._wake.clear()
            ends = self._is_input_closed
            if not audio and not self._finish and not ends:
                audio = _SILENCE
            requests = [riva.StreamingRecognizeRequest(audio_content=audio)] if audio or self._finish else []
            if self._finish:
                self._finish, self._asked = False, True
                requests[0].runtime_config["force_eou"] = "true"
                if self._in_silence:
                    requests.append(riva.StreamingRecognizeRequest(audio_content=self._end_silence()))
            try:
                with deadline("asr", limit_s, "sign that it takes audio"):
                    for request in requests:
                        async with asyncio.timeout(limit_s):
                            await call.write(request)
                    if ends and not self._pending.seconds:
                        self._is_sent = True
                        await call.done_writing()
                        return
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
                return  # the reader is on_result why

    def _end_silence(self) -> bytes:
        """As much as ends an utterance; no audio of the caller's, so it takes no time of the call."""
        history_s = self._settings.stop_history_ms / 1000 or _STOP_HISTORY_S
        silence = bytes(round((history_s + _AND_SURE_S) * INPUT_RATE_HZ) * 2)
        self._note_silence(silence)
        return silence

    def _note_silence(self, silence: bytes) -> None:
        self._stream_time = self._stream_time.silenced(self._sent_s, len(silence) / BYTES_PER_S)

    def _tell(
        self,
        response: riva.StreamingRecognizeResponse,
        placement: StreamPlacement,
        on_result: Callable[[RecognitionResult], None],
    ) -> None:
        for result in recognised(response):
            result = moved(result, self._stream_time, self._sent_s)
            self._progress, is_new = progressed(self._progress, result)
            if not is_new:
                continue
            placement.progress()
            self._away_since = None
            self._has_open_words = not result.final and (self._has_open_words or bool(result.text.strip()))
            if result.final:
                self._asked, self._moves = False, 0
                self._settle(result.audio_processed_s)
            on_result(result)
            if result.final:
                placement.leave_in_gap()

    def _settle(self, until_s: float | None) -> None:
        """A final stands for the audio up to `until_s`; what was sent while it was on its way is still open."""
        sent = self._unsettled.take()
        if until_s is not None:
            open_bytes = round((self.received_s - self._pending.seconds - until_s) * INPUT_RATE_HZ) * 2
            if open_bytes > 0:
                self._unsettled.append(sent[-open_bytes:])
