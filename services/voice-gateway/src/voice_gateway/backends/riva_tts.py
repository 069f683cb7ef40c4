"""How does a phrase become audio? One Riva SynthesizeOnline call per phrase; cancelling it is barge-in.

One call per phrase works with every Riva: before 2.25 the RPC took a single request. A call that dies is made again,
and goes on where it broke off (`core.continuation`).
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import grpc
from riva.client.proto import riva_audio_pb2
from riva.client.proto import riva_tts_pb2 as riva
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from voice_gateway.backends.endpoints import BalancedChannel
from voice_gateway.backends.errors import decoded, riva_errors
from voice_gateway.backends.grpc_reads import read
from voice_gateway.backends.pcm_stream import PcmStream
from voice_gateway.backends.progress_limit import ProgressLimit
from voice_gateway.core.continuation import Continuation
from voice_gateway.core.speech_types import SynthesisedAudio, SynthesisOptions
from voice_gateway.errors import Broken, Unavailable, Upstream

_PAUSE_S, _PAUSE_MAX_S = 0.1, 1.0
"""Before a call is made again; doubled each time."""
_TRIES_UNAVAILABLE, _TRIES_BROKEN = 7, 1
"""Further calls for one phrase: while the server is away, and where it says itself that it failed."""


@dataclass(frozen=True, slots=True)
class TtsSettings:
    """What an operator chose, seconds."""

    first_audio_timeout_s: float
    audio_timeout_s: float


class RivaSynthesiser:
    """Speaks phrases, each on the server that is the best one then."""

    def __init__(self, channel: BalancedChannel, settings: TtsSettings) -> None:
        self._stub = RivaSpeechSynthesisStub(channel)
        self._settings = settings

    def open(self, options: SynthesisOptions) -> "RivaSynthesisStream":
        """A voice for one reply, its first call open already: the model needs longer than the call."""
        return RivaSynthesisStream(self._stub, self._settings, options)


class RivaSynthesisStream:
    """One reply's calls."""

    def __init__(self, stub: RivaSpeechSynthesisStub, settings: TtsSettings, options: SynthesisOptions) -> None:
        self._stub = stub
        self._settings = settings
        self._options = options
        self._ready = stub.SynthesizeOnline()

    def close(self) -> None:
        """Give back a call that no phrase came for."""
        if self._ready is not None:
            self._ready.cancel()

    async def synthesise(self, phrase: str) -> AsyncGenerator[SynthesisedAudio, None]:
        """The audio of `phrase`, with the words' ends where the voice tells."""
        limit = ProgressLimit("tts", "audio", self._settings.first_audio_timeout_s, self._settings.audio_timeout_s)
        given = Continuation(self._options.rate_hz)
        failures = 0
        while True:
            before = given.samples
            try:
                async with aclosing(self._render(phrase, given, limit)) as sounds:
                    async for sound in sounds:
                        yield sound
                break
            except Upstream as error:
                failures += 1
                pause_s = max(min(_PAUSE_S * 2 ** (failures - 1), _PAUSE_MAX_S), error.retry_after_s)
                if given.samples > before:
                    limit.restart()
                if failures > _tries(error) or pause_s >= limit.left_s:
                    raise
            await limit.wait(asyncio.sleep(pause_s))
            given.render_again()
        if not given.samples:
            raise Broken("tts", "speech synthesis returned no audio for a phrase; check TTS_VOICE and its log")

    async def _render(
        self, phrase: str, given: Continuation, limit: ProgressLimit
    ) -> AsyncGenerator[SynthesisedAudio, None]:
        """One call: what it brings after what was given before."""
        call, self._ready = self._ready, None
        if call is None or call.done():  # the server may have gone since it was opened
            call = self._stub.SynthesizeOnline()
        pcm = PcmStream(self._options.rate_hz)
        try:
            with riva_errors("tts"):
                await limit.wait(call.write(self._request(phrase)))
                await limit.wait(call.done_writing())
                while (message := await read(call, limit.wait)) is not grpc.aio.EOF:
                    answer = decoded("tts", message)
                    words = tuple((word.word, word.end_time / 1000) for word in answer.meta.words)
                    audio, words = given.add(pcm.push(answer.audio), words)
                    if audio:
                        limit.progressed()
                    if audio or words:
                        yield SynthesisedAudio(audio, words)
            rest = given.add(pcm.flush(), ())[0] + given.end()
            if rest:
                yield SynthesisedAudio(rest)
        finally:
            call.cancel()

    def _request(self, phrase: str) -> riva.SynthesizeSpeechRequest:
        return riva.SynthesizeSpeechRequest(
            text=phrase,
            language_code=self._options.language,
            voice_name=self._options.voice,
            encoding=riva_audio_pb2.AudioEncoding.LINEAR_PCM,
            sample_rate_hz=self._options.rate_hz,
            enable_word_time_offsets=True,
        )


def _tries(error: Upstream) -> int:
    """How often a call that failed so may be made again."""
    if isinstance(error, Unavailable):
        return _TRIES_UNAVAILABLE
    return _TRIES_BROKEN if error.retryable else 0
