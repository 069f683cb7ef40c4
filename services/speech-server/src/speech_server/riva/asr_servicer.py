"""nvidia.riva.asr.RivaSpeechRecognition: who may recognise, with what, and what comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace

from speech_server.admission import Admission
from speech_server.core.asr.asr_types import Hypothesis
from speech_server.core.asr.recognition_plan import RecognitionPlan
from speech_server.errors import BadRequest, TooQuiet
from speech_server.metrics import Metrics, RequestStats
from speech_server.recognition.offline import finals_of
from speech_server.recognition.pipeline import RecognitionContext, open_segmenter
from speech_server.recognition.utterance_segmenter import Final
from speech_server.riva import asr_messages
from speech_server.riva.decode_interceptor import reads_itself
from speech_server.riva.errors import Context, answering, warn
from speech_server.riva.large_message_limit import LargeMessages
from speech_server.riva.streaming import StreamingRecognition
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_common_pb2 as common
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionServicer

NO_CONFIG = "The first message must carry streaming_config; send it once, then audio_content."


class AsrServicer(RivaSpeechRecognitionServicer):
    """The recognition service."""

    def __init__(
        self, recognition: RecognitionContext, streams: Admission, recordings: Admission, metrics: Metrics
    ) -> None:
        self._recognition = recognition
        self._streams = streams
        self._recordings = recordings
        self._metrics = metrics
        self._whole = LargeMessages()

    # The stub knows generators only; grpc.aio also takes a coroutine that writes, which two of its tasks can share.
    async def StreamingRecognize(  # type: ignore[override]
        self, request_iterator: AsyncIterator[asr.StreamingRecognizeRequest], context: Context
    ) -> None:
        """Audio in while it is spoken, transcripts out."""
        async with self._answering(context, "StreamingRecognize") as stats:
            first = await self._first(request_iterator)
            with self._streams.admit(), self._metrics.serving("asr"):
                config = first.streaming_config
                plan = replace(self._plan(config.config), interim=config.interim_results)
                request_id = common.RequestId.FromString(first.id.SerializeToString()) if first.HasField("id") else None
                # It may be large, and the stream long.
                del first, config
                warn(context, plan.warnings)

                async def write(result: asr.StreamingRecognitionResult) -> None:
                    answer = asr.StreamingRecognizeResponse(results=[result])
                    if request_id is not None:
                        answer.id.CopyFrom(request_id)
                    await context.write(answer)

                async with open_segmenter(self._recognition, plan) as (segmenter, utterances):
                    stream = StreamingRecognition(plan, segmenter, utterances, self._recognition, self._metrics, write)
                    try:
                        await stream.run(request_iterator)
                    finally:
                        stats.audio_s, stats.inference_s = segmenter.processed_s, segmenter.engine_s

    @reads_itself
    async def Recognize(
        self, read: Callable[[], Awaitable[asr.RecognizeRequest]], context: Context
    ) -> asr.RecognizeResponse:
        """A whole recording in, one result out: its utterances joined. Those in line are not read yet."""
        async with self._answering(context, "Recognize") as stats:  # noqa: SIM117  # errors of the next are answered
            async with self._recordings.queue_up() as waited_s, self._whole.read(read) as request:
                stats.queue_s = waited_s
                plan = self._plan(request.config)
                with self._metrics.serving("asr"):
                    warn(context, plan.warnings)
                    audio = asr_messages.recording(plan, request.audio, self._recognition.longest_recording_s)
                    async with (
                        aclosing(audio) as pieces,
                        open_segmenter(self._recognition, plan, recorded=True) as (segmenter, _),
                    ):
                        finals = [final async for final in finals_of(segmenter, pieces)]
                        result = _joined(finals, plan, segmenter.processed_s)
                        stats.audio_s, stats.inference_s = segmenter.processed_s, segmenter.engine_s
                    answer = asr.RecognizeResponse(results=[result])
                    if request.HasField("id"):
                        answer.id.CopyFrom(request.id)
                    return answer
        raise AssertionError("answering() aborts the call on every error")

    async def GetRivaSpeechRecognitionConfig(
        self, request: asr.RivaSpeechRecognitionConfigRequest, context: Context
    ) -> asr.RivaSpeechRecognitionConfigResponse:
        """The models; needs neither metadata nor a free place."""
        return asr_messages.model_list(self._recognition.recogniser.models, request.model_name)

    async def _first(self, requests: AsyncIterator[asr.StreamingRecognizeRequest]) -> asr.StreamingRecognizeRequest:
        limit_s = self._recognition.limits.idle_s
        try:
            async with asyncio.timeout(limit_s):
                first = await self._recognition.drain.unless(anext(requests, None))
        except TimeoutError as error:
            raise TooQuiet(f"No message came for {limit_s:g} s. {NO_CONFIG}") from error
        if first is None or first.WhichOneof("streaming_request") != "streaming_config":
            raise BadRequest(NO_CONFIG)
        return first

    def _plan(self, config: asr.RecognitionConfig) -> RecognitionPlan:
        return asr_messages.plan(config, self._recognition.recogniser.models, self._recognition.policy)

    def _answering(self, context: Context, rpc: str) -> AbstractAsyncContextManager[RequestStats]:
        return answering(context, rpc, self._metrics, self._recognition.retry_after_ms)


def _joined(said: list[Final], plan: RecognitionPlan, processed_s: float) -> asr.SpeechRecognitionResult:
    if len(said) == 1:
        known = asr_messages.alternatives(said[0].hypothesis, said[0].start_s, plan, "")
        return asr.SpeechRecognitionResult(
            alternatives=known, channel_tag=asr_messages.MONO, audio_processed=processed_s
        )
    parts = [asr_messages.alternative(final.hypothesis, final.start_s, plan, "") for final in said]
    confidence = sum(final.hypothesis.confidence for final in said) / len(said) if said else 0.0
    whole = asr_messages.alternative(Hypothesis(" ".join(part.transcript for part in parts)), 0.0, plan, "")
    whole.confidence = confidence
    for part in parts:
        whole.words.extend(part.words)
    return asr.SpeechRecognitionResult(alternatives=[whole], channel_tag=asr_messages.MONO, audio_processed=processed_s)
