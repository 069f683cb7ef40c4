"""How does one transcription session run? JSON events around the same recognition that StreamingRecognize has.

conversation.created ─▶ (update ─▶ updated)* ─▶ (append, commit ─▶ committed, delta, completed)* ─▶ done ─▶ completed

Every utterance gets a `completed`. The last one, after `done`, has `is_last_result` and the whole transcript: NVIDIA's
client keeps the last transcript it was told.
"""

import binascii
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from speech_server.core.asr.recognition_plan import RecognitionPlan
from speech_server.core.requests.error_text import shown
from speech_server.errors import BadRequest, SpeechError
from speech_server.metrics import Metrics, RequestStats
from speech_server.openai_audio.errors import BadParameter
from speech_server.openai_audio.transcriber import new_id
from speech_server.recognition.pipeline import RecognitionContext, open_segmenter
from speech_server.riva import asr_messages
from speech_server.riva.streaming import StreamingRecognition
from speech_server.riva_realtime.connection import Connection
from speech_server.riva_realtime.recognition import recognition_config
from speech_server.riva_realtime.session import transcription_defaults, updated
from speech_server.wire import riva_asr_pb2 as asr

_EVENTS = "transcription_session.update, input_audio_buffer.append, .commit or .done"


class TranscriptionSession:
    """One client. `serve` it once."""

    def __init__(
        self, recognition: RecognitionContext, metrics: Metrics, stats: RequestStats, connection: Connection
    ) -> None:
        self._recognition = recognition
        self._metrics = metrics
        self._stats = stats
        self._connection = connection
        self._session = {**transcription_defaults(recognition.recogniser.models), "id": new_id("sess")}
        self._plan = self._planned()
        self._item = new_id("item")
        self._previous: str | None = None
        self._done = False
        self._said: list[asr.SpeechRecognitionAlternative] = []

    async def serve(self) -> None:
        """From the first event to the last. Raises ConnectionError, TooQuiet, EngineError."""
        await self._connection.send_created()
        requests = self._requests()
        first = await anext(requests, None)
        if first is not None:
            async with open_segmenter(self._recognition, self._plan) as (segmenter, utterances):
                stream = StreamingRecognition(
                    self._plan, segmenter, utterances, self._recognition, self._metrics, self._send_result
                )
                try:
                    await stream.run(_after(first, requests))
                finally:
                    self._stats.audio_s, self._stats.inference_s = segmenter.processed_s, segmenter.engine_s
        await self._send_completed(self._said, is_last=True)

    async def _requests(self) -> AsyncIterator[asr.StreamingRecognizeRequest]:
        """The client's audio, until it is done; other events are answered on the way."""
        has_begun = False
        while not self._done:
            event = await self._connection.receive()
            try:
                match event["type"]:
                    case "transcription_session.update":
                        if has_begun:
                            raise BadRequest("Audio has come already; open another session to change the settings.")
                        await self._update(event.get("session"))
                    case "input_audio_buffer.append":
                        request = _audio(event)
                        has_begun = True
                        self._connection.is_paused = False  # from now on the recognition says when it is
                        yield request
                    case "input_audio_buffer.commit":
                        previous = self._previous
                        await self._connection.send_event(
                            "input_audio_buffer.committed", item_id=self._item, previous_item_id=previous
                        )
                    case "input_audio_buffer.done":
                        self._done = True
                    case other:
                        raise BadParameter(f"{shown(other)} is no event of this session; send {_EVENTS}.", "type")
            except SpeechError as error:
                await self._connection.send_error(error)

    async def _update(self, sent: Any) -> None:
        before = self._session
        self._session = updated(before, sent)
        try:
            self._plan = self._planned()
        except SpeechError:
            self._session = before
            raise
        told = {"warnings": list(self._plan.warnings)} if self._plan.warnings else {}
        await self._connection.send_event("transcription_session.updated", session=self._session, **told)

    def _planned(self) -> RecognitionPlan:
        recognition = self._recognition
        config = recognition_config(self._session)
        return replace(asr_messages.plan(config, recognition.recogniser.models, recognition.policy), interim=True)

    async def _send_result(self, result: asr.StreamingRecognitionResult) -> None:
        if not result.alternatives:
            return  # only how far the engine is
        best = result.alternatives[0]
        if not result.is_final:
            await self._connection.send_event(
                "conversation.item.input_audio_transcription.delta",
                item_id=self._item,
                content_index=0,
                delta=best.transcript,
            )
            return
        self._said.append(best)
        if not self._done:
            await self._send_completed([best], is_last=False)

    async def _send_completed(self, said: list[asr.SpeechRecognitionAlternative], *, is_last: bool) -> None:
        await self._connection.send_event(
            "conversation.item.input_audio_transcription.completed",
            item_id=self._item,
            content_index=0,
            transcript=" ".join(one.transcript.strip() for one in said if one.transcript.strip()),
            is_last_result=is_last,
            words_info={"words": [_word(word) for one in said for word in one.words]},
        )
        self._previous, self._item = self._item, new_id("item")


async def _after(
    first: asr.StreamingRecognizeRequest, rest: AsyncIterator[asr.StreamingRecognizeRequest]
) -> AsyncIterator[asr.StreamingRecognizeRequest]:
    yield first
    async for request in rest:
        yield request


def _audio(event: dict[str, Any]) -> asr.StreamingRecognizeRequest:
    audio, runtime = event.get("audio"), event.get("runtime_config") or {}
    if not isinstance(audio, str):
        raise BadParameter("audio is missing; send the bytes as base64.", "audio")
    if not isinstance(runtime, dict):
        raise BadParameter('runtime_config takes an object, such as {"force_eou": "true"}.', "runtime_config")
    try:
        content = binascii.a2b_base64(audio, strict_mode=False)
    except (binascii.Error, ValueError) as error:
        raise BadParameter("audio is not base64.", "audio") from error
    return asr.StreamingRecognizeRequest(
        audio_content=content, runtime_config={str(key): str(value) for key, value in runtime.items()}
    )


def _word(word: asr.WordInfo) -> dict[str, Any]:
    return {
        "word": word.word,
        "start_time": word.start_time,
        "end_time": word.end_time,
        "confidence": word.confidence,
        "speaker_tag": word.speaker_tag,
    }
