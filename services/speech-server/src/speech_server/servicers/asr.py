"""nvidia.riva.asr.RivaSpeechRecognition: who may recognise, with what, and what comes back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from speech_server.core.recognition import AsrPolicy, RecognitionPlan
from speech_server.errors import BadRequest, TooQuiet
from speech_server.metrics import Metrics
from speech_server.ports import Hypothesis, Recogniser, Utterances, VoiceActivityDetector
from speech_server.servicers import asr_wire
from speech_server.servicers.admission import Admission
from speech_server.servicers.hearing import Final, Hearing
from speech_server.servicers.intake import PIECE_BYTES
from speech_server.servicers.seam import Context, answering
from speech_server.servicers.stream import Stream, StreamLimits
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionServicer

NO_CONFIG = "The first message must carry streaming_config; send it once, then audio_content."


@dataclass(frozen=True, slots=True)
class Listening:
    """What recognition works with."""

    recogniser: Recogniser
    detector: VoiceActivityDetector
    policy: AsrPolicy
    limits: StreamLimits
    pre_roll_s: float
    longest_utterance_s: float
    retry_after_ms: int


class AsrServicer(RivaSpeechRecognitionServicer):
    """The recognition service."""

    def __init__(self, listening: Listening, admission: Admission, metrics: Metrics) -> None:
        self._listening = listening
        self._admission = admission
        self._metrics = metrics

    # The stub knows generators only; grpc.aio also takes a coroutine that writes, which two of its tasks can share.
    async def StreamingRecognize(  # type: ignore[override]
        self, request_iterator: AsyncIterator[asr.StreamingRecognizeRequest], context: Context
    ) -> None:
        """Audio in while it is spoken, transcripts out."""
        async with self._answering(context, "StreamingRecognize"):
            first = await self._first(request_iterator)
            with self._admission.admit(), self._metrics.serving("asr"):
                config = first.streaming_config
                plan = replace(self._plan(config.config), interim=config.interim_results)

                async def write(result: asr.StreamingRecognitionResult) -> None:
                    answer = asr.StreamingRecognizeResponse(results=[result])
                    if first.HasField("id"):
                        answer.id.CopyFrom(first.id)
                    await context.write(answer)

                async with self._hearing(plan) as (hearing, utterances):
                    stream = Stream(plan, hearing, utterances, self._listening.limits, self._metrics, write)
                    await stream.run(request_iterator)

    async def Recognize(self, request: asr.RecognizeRequest, context: Context) -> asr.RecognizeResponse:
        """A whole recording in, one result out: its utterances joined."""
        async with self._answering(context, "Recognize"):
            with self._admission.admit(), self._metrics.serving("asr"):
                plan = self._plan(request.config)
                way_in = asr_wire.way_in(plan)
                pcm16 = way_in.push(request.audio) + way_in.flush()
                async with self._hearing(plan) as (hearing, _):
                    finals = await self._hear_all(hearing, pcm16)
                    result = _joined(finals, plan, hearing.processed_s)
                answer = asr.RecognizeResponse(results=[result])
                if request.HasField("id"):
                    answer.id.CopyFrom(request.id)
                return answer
        raise AssertionError("answering() aborts the call on every error")

    async def GetRivaSpeechRecognitionConfig(
        self, request: asr.RivaSpeechRecognitionConfigRequest, context: Context
    ) -> asr.RivaSpeechRecognitionConfigResponse:
        """The models; needs neither metadata nor a free place."""
        return asr_wire.model_list(self._listening.recogniser.models, request.model_name)

    async def _first(self, requests: AsyncIterator[asr.StreamingRecognizeRequest]) -> asr.StreamingRecognizeRequest:
        limit_s = self._listening.limits.idle_s
        try:
            async with asyncio.timeout(limit_s):
                first = await anext(requests, None)
        except TimeoutError as error:
            raise TooQuiet(f"No message came for {limit_s:g} s. {NO_CONFIG}") from error
        if first is None or first.WhichOneof("streaming_request") != "streaming_config":
            raise BadRequest(NO_CONFIG)
        return first

    @asynccontextmanager
    async def _hearing(self, plan: RecognitionPlan) -> AsyncIterator[tuple[Hearing, Utterances]]:
        listening = self._listening
        utterances = await listening.recogniser.open(plan.hints)
        activity = listening.detector.open()
        try:
            yield (
                Hearing(
                    utterances,
                    activity,
                    plan.endpointing,
                    listening.pre_roll_s,
                    listening.longest_utterance_s,
                ),
                utterances,
            )
        finally:
            activity.close()
            await utterances.close()

    async def _hear_all(self, hearing: Hearing, pcm16: bytes) -> list[Final]:
        finals: list[Final] = []
        for at in range(0, len(pcm16), PIECE_BYTES):
            # Everything waits already: the engine may take it in its largest chunks.
            waiting_s = float(len(pcm16))
            async for heard in hearing.push(pcm16[at : at + PIECE_BYTES], time.monotonic(), waiting_s):
                if isinstance(heard, Final):
                    finals.append(heard)
            await asyncio.sleep(0)
        last = await hearing.finish(time.monotonic())
        return [*finals, last] if last is not None else finals

    def _plan(self, config: asr.RecognitionConfig) -> RecognitionPlan:
        return asr_wire.plan(config, self._listening.recogniser.models, self._listening.policy)

    def _answering(self, context: Context, rpc: str) -> AbstractAsyncContextManager[None]:
        return answering(context, rpc, self._metrics, self._listening.retry_after_ms)


def _joined(finals: list[Final], plan: RecognitionPlan, processed_s: float) -> asr.SpeechRecognitionResult:
    said = [final for final in finals if final.hypothesis.text]
    parts = [asr_wire.alternative(final.hypothesis, final.start_s, plan, "") for final in said]
    confidence = sum(final.hypothesis.confidence for final in said) / len(said) if said else 0.0
    whole = asr_wire.alternative(Hypothesis(" ".join(part.transcript for part in parts)), 0.0, plan, "")
    whole.confidence = confidence
    for part in parts:
        whole.words.extend(part.words)
    return asr.SpeechRecognitionResult(alternatives=[whole], channel_tag=asr_wire.MONO, audio_processed=processed_s)
