"""How does a phrase become audio? One Riva SynthesizeOnline call per phrase; cancelling it is barge-in.

One call per phrase works with every Riva: before 2.25 the RPC took a single request.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import grpc
from riva.client.proto import riva_audio_pb2
from riva.client.proto import riva_tts_pb2 as riva
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from voice_gateway.backends.seams import next_within, riva_errors
from voice_gateway.errors import Broken
from voice_gateway.ports import Sound, SpeakOptions


@dataclass(frozen=True, slots=True)
class TtsSettings:
    """What an operator chose, seconds."""

    first_audio_timeout_s: float
    audio_timeout_s: float


class RivaSynthesiser:
    """Speaks phrases on one shared channel."""

    def __init__(self, channel: grpc.aio.Channel, settings: TtsSettings) -> None:
        self._stub = RivaSpeechSynthesisStub(channel)
        self._settings = settings

    def open(self, options: SpeakOptions) -> "RivaVoice":
        """A voice for one reply, its first call open already: the model needs longer than the call."""
        return RivaVoice(self._stub, self._settings, options)


class RivaVoice:
    """One reply's calls."""

    def __init__(self, stub: RivaSpeechSynthesisStub, settings: TtsSettings, options: SpeakOptions) -> None:
        self._stub = stub
        self._settings = settings
        self._options = options
        self._ready = stub.SynthesizeOnline()

    def close(self) -> None:
        """Give back a call that no phrase came for."""
        if self._ready is not None:
            self._ready.cancel()

    async def speak(self, phrase: str) -> AsyncGenerator[Sound, None]:
        """The audio of `phrase`, with the words' ends where the voice tells."""
        options = self._options
        request = riva.SynthesizeSpeechRequest(
            text=phrase,
            language_code=options.language,
            voice_name=options.voice,
            encoding=riva_audio_pb2.AudioEncoding.LINEAR_PCM,
            sample_rate_hz=options.rate_hz,
            enable_word_time_offsets=True,
        )
        call, self._ready = self._ready, None
        if call is None or call.done():  # the server may have gone since it was opened
            call = self._stub.SynthesizeOnline()
        limit_s, audible, half_sample = self._settings.first_audio_timeout_s, False, b""
        try:
            with riva_errors("tts"):
                await call.write(request)
                await call.done_writing()
                answers = aiter(call)
                while (answer := await next_within(answers, limit_s, "tts", "audio")) is not None:
                    if answer.audio:
                        limit_s, audible = self._settings.audio_timeout_s, True
                    words = tuple((word.word, word.end_time / 1000) for word in answer.meta.words)
                    audio = half_sample + answer.audio
                    whole = len(audio) - len(audio) % 2
                    half_sample = audio[whole:]
                    yield Sound(audio[:whole], words)
        finally:
            call.cancel()
        if not audible:
            raise Broken("tts", "speech synthesis returned no audio for a phrase; check TTS_VOICE and its log")
