"""How does one streaming recognition run?

    reader ──▶ intake (bounded) ──▶ decoder: hearing ──▶ results
                   └─ when the engine is behind ──▶ reporter: progress

The decoder is the stream's own task; reader, reporter and the watches for an idle client and for a draining server end
with it. A message that is being written must not be cancelled, or gRPC can't send the status after it: so the other
tasks hand their errors to the decoder, and the reporter is asked to end.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from speech_server.core.asr.audio_decoder import AudioDecoder
from speech_server.core.asr.recognition_plan import RecognitionPlan
from speech_server.drain import LEAVE, Drain
from speech_server.errors import BadRequest, NotServing, TooQuiet
from speech_server.interfaces import UtteranceObserver, Utterances
from speech_server.metrics import Metrics
from speech_server.recognition.audio_queue import AudioQueue
from speech_server.recognition.pipeline import RecognitionContext
from speech_server.recognition.utterance_segmenter import Final, Partial, TranscriptEvent, UtteranceSegmenter
from speech_server.riva import asr_messages
from speech_server.wire import riva_asr_pb2 as asr

BEHIND_S = 0.5
"""From this lag on the client is told how far the engine is, whatever else it is sent."""
PROGRESS_S = 0.25
"""Longest stretch of decoded audio, and of time while behind, without a word to the client."""
_SLICE_BYTES = 65_536


class StreamingRecognition:  # size: four tasks around the state of one stream
    """One streaming recognition after its configuration was accepted. `run` it once."""

    def __init__(
        self,
        plan: RecognitionPlan,
        segmenter: UtteranceSegmenter,
        utterances: Utterances,
        recognition: RecognitionContext,
        metrics: Metrics,
        write: Callable[[asr.StreamingRecognitionResult], Awaitable[None]],
    ) -> None:
        self._plan = plan
        self._segmenter = segmenter
        self._observer = utterances if isinstance(utterances, UtteranceObserver) else None
        self._limits = recognition.limits
        self._drain: Drain = recognition.drain
        self._metrics = metrics
        self._write = write
        self._queue = AudioQueue(self._limits.most_ahead_s)
        self._behind = asyncio.Event()
        self._ended = asyncio.Event()
        # gRPC takes one message at a time; decoder and reporter both write.
        self._write_lock = asyncio.Lock()
        self._reported_s = 0.0
        self._text = ""
        self._lead = ""
        self._has_final = False

    async def run(self, requests: AsyncIterator[asr.StreamingRecognizeRequest]) -> None:
        """Serve until the client half-closes and everything is answered.

        Raises an ExceptionGroup of BadRequest, TooQuiet, NotServing, EngineError.
        """
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(self._read(requests), name="asr reader")
            watch = tasks.create_task(self._watch_idle(), name="asr idle watch")
            drain = tasks.create_task(self._watch_drain(), name="asr drain watch")
            reporter = tasks.create_task(self._report(), name="asr reporter")
            try:
                await self._decode()
            finally:
                reader.cancel()
                watch.cancel()
                drain.cancel()
                self._ended.set()
                self._behind.set()
                await reporter

    async def _read(self, requests: AsyncIterator[asr.StreamingRecognizeRequest]) -> None:
        try:
            await self._read_all(requests)
        except Exception as error:
            self._queue.fail(error)

    async def _read_all(self, requests: AsyncIterator[asr.StreamingRecognizeRequest]) -> None:
        audio_decoder = AudioDecoder(self._plan.encoding, self._plan.rate_hz)
        async for request in requests:
            if request.WhichOneof("streaming_request") == "streaming_config":
                raise BadRequest("streaming_config came again; send it in the first message only, then audio.")
            force_end = request.runtime_config.get("force_eou", "").lower() == "true"
            content = request.audio_content
            del request
            # Slice by slice, as the intake takes it: a large message is not copied whole.
            for at in range(0, max(1, len(content)), _SLICE_BYTES):
                pcm16 = audio_decoder.push(content[at : at + _SLICE_BYTES])
                is_last = at + _SLICE_BYTES >= len(content)
                await self._queue.put(pcm16, force_end and is_last, self._note_lag)
            del content
        await self._queue.put(audio_decoder.flush(), False, self._note_lag)
        self._queue.end()

    async def _watch_idle(self) -> None:
        while True:
            quiet_s = 0.0 if self._queue.is_full else time.monotonic() - self._queue.last_arrival
            if quiet_s >= self._limits.idle_s:
                sentence = f"No message came for {self._limits.idle_s:g} s; send audio, silence included."
                self._queue.fail(TooQuiet(sentence))
                return
            await asyncio.sleep(self._limits.idle_s - quiet_s)

    async def _watch_drain(self) -> None:
        await self._drain.until(lambda: not self._segmenter.in_utterance and not self._queue.waiting_s)
        self._queue.fail(NotServing(LEAVE))

    def _note_lag(self) -> None:
        if self._plan.interim and self._lag_s() > BEHIND_S:
            self._behind.set()

    def _lag_s(self) -> float:
        return self._queue.arrived_s - self._segmenter.processed_s

    async def _report(self) -> None:
        while await self._behind.wait() and not self._ended.is_set():
            if self._lag_s() <= BEHIND_S:
                self._behind.clear()
                continue
            await self._send(asr_messages.progress(self._segmenter.processed_s))
            await self._ended_within(PROGRESS_S)

    async def _ended_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return

    async def _decode(self) -> None:
        segmenter = self._segmenter
        while (piece := await self._queue.take()) is not None:
            self._drain.check()
            async for event in segmenter.push(piece.pcm16, piece.arrived_at, self._queue.waiting_s):
                await self._write_event(event)
            if piece.force_end:
                await self._write_event(await segmenter.force_end(piece.arrived_at))
            if self._plan.interim and segmenter.in_utterance and segmenter.processed_s - self._reported_s >= PROGRESS_S:
                await self._send(asr_messages.progress(segmenter.processed_s))
        # A client that went away looks like one that half-closed until the next await.
        await asyncio.sleep(0)
        last = await segmenter.finish(time.monotonic())
        if last is not None and (last.hypothesis.text or not self._has_final or self._text):
            await self._write_event(last)
        elif not self._has_final:
            await self._write_event(await segmenter.force_end(time.monotonic()))

    async def _write_event(self, event: TranscriptEvent) -> None:
        match event:
            case Partial(hypothesis, ending):
                changed = hypothesis.text != self._text
                if self._plan.interim and hypothesis.text and (changed or ending):
                    self._text = hypothesis.text
                    processed_s = self._segmenter.processed_s
                    await self._send(
                        asr_messages.partial(
                            self._text, self._plan, self._lead, processed_s, 1.0 if ending else hypothesis.stability
                        )
                    )
            case Final():
                await self._write_final(event)

    async def _write_final(self, said: Final) -> None:
        self._text = ""
        self._has_final = True
        if self._observer is not None:
            self._observer.final_written()
        await self._send(asr_messages.final(said, self._plan, self._lead, self._segmenter.processed_s))
        if said.hypothesis.text and self._plan.leading_space:
            self._lead = " "
        self._metrics.utterance(time.monotonic() - said.stopped_at, said.engine_s, said.audio_s)

    async def _send(self, result: asr.StreamingRecognitionResult) -> None:
        async with self._write_lock:
            self._reported_s = result.audio_processed
            if self._plan.vad_probabilities:
                result.pipeline_states.vad_probabilities.extend(self._segmenter.take_scores())
            await self._write(result)
