"""nvidia.riva.tts.RivaSpeechSynthesis: who may synthesise, in which voice, and how the audio leaves."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing

from speech_server.admission import Admission
from speech_server.core.asr.asr_types import Word
from speech_server.errors import BadRequest, TooQuiet
from speech_server.metrics import Metrics, RequestStats
from speech_server.riva import tts_messages
from speech_server.riva.errors import Context, answering
from speech_server.riva.synthesis import SynthesisContext, synthesise
from speech_server.wire import riva_tts_pb2 as tts
from speech_server.wire.riva_tts_pb2_grpc import RivaSpeechSynthesisServicer


class TtsServicer(RivaSpeechSynthesisServicer):
    """The synthesis service."""

    def __init__(self, synthesis: SynthesisContext, admission: Admission, metrics: Metrics) -> None:
        self._synthesis = synthesis
        self._admission = admission
        self._metrics = metrics

    async def Synthesize(self, request: tts.SynthesizeSpeechRequest, context: Context) -> tts.SynthesizeSpeechResponse:
        """A text in, its whole audio out."""
        async with self._answering(context, "Synthesize") as stats:
            if not request.text.strip():
                raise BadRequest("The text is empty; send something to say.")
            with self._admission.admit(), self._metrics.serving("tts"):
                audio = bytearray()
                words: list[Word] = []
                async with aclosing(self._speak(request, stats)) as chunks:
                    async for part, begun in chunks:
                        audio += part
                        words += begun
                        self._check_size(len(audio))
                return tts_messages.answer(request, bytes(audio), words)
        raise AssertionError("answering() aborts the call on every error")

    # The stub knows generators only; grpc.aio also takes a coroutine that writes, whose cancellation comes at once.
    async def SynthesizeOnline(  # type: ignore[override]
        self, request_iterator: AsyncIterator[tts.SynthesizeSpeechRequest], context: Context
    ) -> None:
        """Texts in, audio out while it is made, text after text; an empty text is passed over."""
        async with self._answering(context, "SynthesizeOnline") as stats:
            request = await self._next(request_iterator)
            with self._admission.admit(), self._metrics.serving("tts"):
                while request is not None:
                    if request.text.strip():
                        async with aclosing(self._speak(request, stats)) as chunks:
                            async for audio, words in chunks:
                                await context.write(tts_messages.answer(request, audio, words))
                    request = await self._next(request_iterator)

    async def GetRivaSynthesisConfig(
        self, request: tts.RivaSynthesisConfigRequest, context: Context
    ) -> tts.RivaSynthesisConfigResponse:
        """The voices; needs neither metadata nor a free place."""
        async with self._answering(context, "GetRivaSynthesisConfig"):
            return tts_messages.voice_list(self._synthesis.synthesiser.voices, request.model_name)
        raise AssertionError("answering() aborts the call on every error")

    async def _next(self, requests: AsyncIterator[tts.SynthesizeSpeechRequest]) -> tts.SynthesizeSpeechRequest | None:
        """The next text. Raises TooQuiet, NotServing."""
        try:
            async with asyncio.timeout(self._synthesis.idle_s):
                return await self._synthesis.drain.unless(anext(requests, None))
        except TimeoutError as error:
            raise TooQuiet(
                f"No text came for {self._synthesis.idle_s:g} s; half-close the call after the last one."
            ) from error

    def _speak(
        self, sent: tts.SynthesizeSpeechRequest, stats: RequestStats
    ) -> AsyncGenerator[tuple[bytes, tuple[Word, ...]], None]:
        return synthesise(self._synthesis, self._metrics, sent, stats)

    def _check_size(self, audio_bytes: int) -> None:
        limit = self._synthesis.unary_limit_bytes
        if audio_bytes > limit:
            raise BadRequest(
                f"The audio grows beyond {limit} bytes, more than a gRPC client takes; use SynthesizeOnline."
            )

    def _answering(self, context: Context, rpc: str) -> AbstractAsyncContextManager[RequestStats]:
        return answering(context, rpc, self._metrics, self._synthesis.retry_after_ms)
