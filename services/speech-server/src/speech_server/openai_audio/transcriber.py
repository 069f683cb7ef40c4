"""How does a realtime session's audio become events? Appended, cut into items by voice or by hand, transcribed.

append ─▶ speech_started ─▶ delta … ─▶ speech_stopped ─▶ committed ─▶ item added, done ─▶ completed
append ─▶ delta … ─▶ (client) commit ─▶ committed ─▶ item added, done ─▶ completed          turn_detection null
"""

import binascii
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from pcm import SAMPLE_BYTES, duration_s

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.core.asr.audio_decoder import AudioDecoder
from speech_server.interfaces import Utterances
from speech_server.metrics import Metrics, RequestStats
from speech_server.openai_audio.errors import BadParameter
from speech_server.openai_audio.session import Session, plan, pre_roll_s
from speech_server.openai_audio.stable_deltas import StableDeltas
from speech_server.openai_audio.transcripts import word_logprobs
from speech_server.recognition.pipeline import RecognitionContext, open_segmenter
from speech_server.recognition.utterance_segmenter import Final, Partial, TranscriptEvent, UtteranceSegmenter

_PIECE_BYTES = ASR_RATE_HZ // 50 * SAMPLE_BYTES
"""20 ms: fine enough for one fact at a time."""
_DECODE_BYTES = ASR_RATE_HZ // 10 * SAMPLE_BYTES
_SHORTEST_COMMIT_S = 0.1
"""OpenAI refuses to commit less."""

SendEvent = Callable[[dict[str, Any]], Awaitable[None]]


def new_id(kind: str) -> str:
    """Such as item_5f2c…"""
    return f"{kind}_{secrets.token_hex(10)}"


class Transcriber:  # size: the state of one session, in one loop
    """One session's ears. They open with the first audio, and anew after a change of what they go by."""

    def __init__(
        self,
        recognition: RecognitionContext,
        metrics: Metrics,
        stats: RequestStats,
        session: Session,
        send_event: SendEvent,
    ) -> None:
        self.session = session
        self._recognition = recognition
        self._metrics = metrics
        self._stats = stats
        self._send_event = send_event
        self._held = AsyncExitStack()
        self._segmenter: UtteranceSegmenter | None = None
        self._utterances: Utterances | None = None
        self._audio_decoder = AudioDecoder(session.audio.encoding, session.audio.rate_hz)
        # Seconds of the session before these ears opened.
        self._offset_s = 0.0
        self._appended_s = 0.0
        self._uncommitted_s = 0.0
        self._engine_s = 0.0
        self._waiting = bytearray()
        self._item = new_id("item")
        self._previous: str | None = None
        self._started = False
        self._deltas = StableDeltas()

    @property
    def is_between(self) -> bool:
        """Is nothing open that a session elsewhere would lack?"""
        return not self._started and (self.session.vad is not None or not self._uncommitted_s)

    async def configure(self, session: Session) -> None:
        """Go by this session from now on; an open utterance is finished by the old one. Raises SpeechError."""
        plan(session, self._recognition.recogniser.models, self._recognition.policy)
        if session == self.session:
            return
        if self._started:
            await self._finish_open()
        await self.close()
        self.session = session
        self._audio_decoder = AudioDecoder(session.audio.encoding, session.audio.rate_hz)

    async def append(self, audio: str) -> None:
        """More audio, base64. Raises BadParameter, EngineError."""
        try:
            data = binascii.a2b_base64(audio, strict_mode=False)
        except (binascii.Error, ValueError) as error:
            raise BadParameter("audio is not base64.", "audio") from error
        await self._open()
        pcm16 = self._audio_decoder.push(data)
        for at in range(0, len(pcm16), _PIECE_BYTES):
            piece = pcm16[at : at + _PIECE_BYTES]
            length_s = duration_s(piece, ASR_RATE_HZ)
            self._appended_s += length_s
            self._uncommitted_s += length_s
            self._stats.audio_s += length_s
            await (self._hear(piece) if self.session.vad is not None else self._collect(piece))

    async def commit(self) -> None:
        """End the item here. Raises BadParameter when there is nothing to commit."""
        if self._uncommitted_s < _SHORTEST_COMMIT_S:
            raise BadParameter(
                f"The buffer holds {self._uncommitted_s * 1000:.0f} ms; append at least "
                f"{_SHORTEST_COMMIT_S * 1000:.0f} ms before a commit.",
                None,
                "input_audio_buffer_commit_empty",
            )
        await self._open()
        if self.session.vad is None:
            await self._end_item(await self._finish_collected())
        else:
            await self._finish_open()

    async def clear(self) -> None:
        """Forget what was appended and not committed."""
        if self._segmenter is not None and (self._started or self.session.vad is None):
            if self.session.vad is None:
                await self._finish_collected()
            else:
                await self._segmenter.force_end(time.monotonic())
        self._fresh_item(self._previous)

    async def close(self) -> None:
        """Give the engine back. Safe to call twice."""
        self._segmenter = self._utterances = None
        await self._held.aclose()
        self._held = AsyncExitStack()

    async def _open(self) -> None:
        if self._segmenter is not None:
            return
        recognition = self._recognition
        decided = plan(self.session, recognition.recogniser.models, recognition.policy)
        recognition = replace(recognition, pre_roll_s=pre_roll_s(self.session, recognition.pre_roll_s))
        self._segmenter, self._utterances = await self._held.enter_async_context(open_segmenter(recognition, decided))
        self._offset_s = self._appended_s

    async def _hear(self, pcm16: bytes) -> None:
        assert self._segmenter is not None
        async for event in self._segmenter.push(pcm16, time.monotonic()):
            await self._follow(event)
        if self._segmenter.in_utterance:
            await self._note_start(self._segmenter.began_s)

    async def _follow(self, event: TranscriptEvent) -> None:
        match event:
            case Partial(hypothesis):
                assert self._segmenter is not None
                await self._note_start(self._segmenter.began_s)
                await self._send_delta(self._deltas.push(hypothesis.text), hypothesis)
            case Final():
                await self._note_start(event.start_s)
                end_s = event.start_s + event.audio_s
                await self._send_item_event("input_audio_buffer.speech_stopped", audio_end_ms=self._ms(end_s))
                self._stats.inference_s += event.engine_s
                self._metrics.utterance(time.monotonic() - event.stopped_at, event.engine_s, event.audio_s)
                await self._end_item(event.hypothesis, event.audio_s)

    async def _note_start(self, start_s: float) -> None:
        if not self._started:
            self._started = True
            await self._send_item_event("input_audio_buffer.speech_started", audio_start_ms=self._ms(start_s))

    async def _finish_open(self) -> None:
        """The client ends the item while voice activity would go on."""
        assert self._segmenter is not None
        final = await self._segmenter.force_end(time.monotonic())
        self._stats.inference_s += final.engine_s
        await self._end_item(final.hypothesis, final.audio_s)

    async def _collect(self, pcm16: bytes) -> None:
        self._waiting += pcm16
        if len(self._waiting) >= _DECODE_BYTES:
            hypothesis = await self._accept()
            await self._send_delta(self._deltas.push(hypothesis.text), hypothesis)

    async def _accept(self) -> Hypothesis:
        assert self._utterances is not None
        pcm16, self._waiting = bytes(self._waiting), bytearray()
        with self._stats.inferring():
            return await self._utterances.accept(pcm16)

    async def _finish_collected(self) -> Hypothesis:
        assert self._utterances is not None
        if self._waiting:
            await self._accept()
        with self._stats.inferring():
            return await self._utterances.finish()

    async def _end_item(self, hypothesis: Hypothesis, audio_s: float | None = None) -> None:
        """Everything that is told of an item after its last sample."""
        item, previous = self._item, self._previous
        heard_s = self._uncommitted_s if audio_s is None else audio_s
        shown = {
            "id": item,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        await self._send_item_event("input_audio_buffer.committed", previous_item_id=previous)
        for kind in ("conversation.item.added", "conversation.item.done"):
            await self._send_event({"type": kind, "previous_item_id": previous, "item": shown})
        await self._send_delta(self._deltas.finish(hypothesis.text), hypothesis)
        event: dict[str, Any] = {
            "transcript": hypothesis.text,
            "content_index": 0,
            "usage": {"type": "duration", "seconds": round(heard_s, 3)},
        }
        if self.session.logprobs:
            event["logprobs"] = word_logprobs(hypothesis.words)
        await self._send_item_event("conversation.item.input_audio_transcription.completed", **event)
        self._fresh_item(item)

    async def _send_delta(self, delta: str, hypothesis: Hypothesis) -> None:
        if delta:
            await self._send_item_event(
                "conversation.item.input_audio_transcription.delta", content_index=0, delta=delta
            )

    async def _send_item_event(self, kind: str, **more: Any) -> None:
        await self._send_event({"type": kind, "item_id": self._item, **more})

    def _fresh_item(self, previous: str | None) -> None:
        self._previous = previous
        self._item = new_id("item")
        self._started = False
        self._uncommitted_s = 0.0
        self._deltas = StableDeltas()

    def _ms(self, seconds: float) -> int:
        return round((self._offset_s + seconds) * 1000)
