"""How does one synthesis session run? Text in pieces, audio of each commit while it is made.

conversation.created ─▶ (update ─▶ updated)* ─▶ (append, commit ─▶ committed, data …, completed)* ─▶ done ─▶ completed

A commit is spoken before the next message is read: a slow engine holds its client back through the socket.
"""

import base64
from contextlib import aclosing
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from speech_server.core.requests.error_text import shown
from speech_server.errors import BadRequest, SpeechError
from speech_server.metrics import Metrics, RequestStats
from speech_server.openai_audio.errors import BadParameter
from speech_server.openai_audio.transcriber import new_id
from speech_server.riva import tts_messages
from speech_server.riva.synthesis import SynthesisContext, synthesise
from speech_server.riva_realtime.connection import Connection
from speech_server.riva_realtime.session import Session, synthesis_defaults, updated
from speech_server.wire import riva_tts_pb2 as tts

_EVENTS = "synthesize_session.update, input_text.append, .commit or .done"
_FORMATS = {"LINEAR_PCM": "LINEAR_PCM", "OGG_OPUS": "OGGOPUS", "OGGOPUS": "OGGOPUS"}


class SynthesisSession:
    """One client. `serve` it once."""

    def __init__(
        self, synthesis: SynthesisContext, metrics: Metrics, stats: RequestStats, connection: Connection
    ) -> None:
        self._synthesis = synthesis
        self._metrics = metrics
        self._stats = stats
        self._connection = connection
        self._session = {**synthesis_defaults(synthesis.synthesiser.voices), "id": new_id("sess")}
        self._pending = ""

    async def serve(self) -> None:
        """From the first event to the last. Raises ConnectionError, TooQuiet, EngineError."""
        await self._connection.send_created()
        while (event := await self._connection.receive())["type"] != "input_text.done":
            try:
                await self._answer(event)
            except SpeechError as error:
                await self._connection.send_error(error)
        await self._connection.unless_closed(self._speak(is_last=True))

    async def _answer(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "synthesize_session.update":
                await self._update(event.get("session"))
            case "input_text.append":
                self._append(event.get("text"))
            case "input_text.commit":
                await self._connection.send_event("input_text.committed")
                await self._connection.unless_closed(self._speak(is_last=False))
            case other:
                raise BadParameter(f"{shown(other)} is no event of this session; send {_EVENTS}.", "type")

    async def _update(self, sent: Any) -> None:
        session = updated(self._session, sent)
        chosen = self._plan(_request(session, "a")).request.voice
        session["input_text_synthesis"] = {"language_code": chosen.language, "voice_name": chosen.name}
        self._session = session
        await self._connection.send_event("synthesize_session.updated", session=session)

    def _append(self, text: Any) -> None:
        if not isinstance(text, str):
            raise BadParameter("text is missing; send a string.", "text")
        if len(self._pending) + len(text) > self._synthesis.text_limit:
            self._pending = ""
            raise BadParameter(
                f"More than {self._synthesis.text_limit} characters were appended, and are dropped; commit more often.",
                "text",
            )
        self._pending += text
        self._connection.is_paused = False

    async def _speak(self, *, is_last: bool) -> None:
        text, self._pending = self._pending, ""
        before_s = self._stats.audio_s
        if text.strip():
            async with aclosing(
                synthesise(self._synthesis, self._metrics, _request(self._session, text), self._stats)
            ) as made:
                async for audio, _ in made:
                    await self._connection.send_event(
                        "conversation.item.speech.data", audio=base64.b64encode(audio).decode()
                    )
        duration_ms = round((self._stats.audio_s - before_s) * 1000)
        await self._connection.send_event(
            "conversation.item.speech.completed",
            is_last_result=is_last,
            synthesis_metadata={"audio_duration_ms": duration_ms, "characters": len(text)},
        )
        self._connection.is_paused = True

    def _plan(self, request: tts.SynthesizeSpeechRequest) -> tts_messages.SpeechPlan:
        synthesis = self._synthesis
        return tts_messages.plan(request, synthesis.synthesiser.voices, synthesis.policy, synthesis.text_limit)


def _request(session: Session, text: str) -> tts.SynthesizeSpeechRequest:
    """What Riva's service would be asked. Raises BadRequest, BadParameter."""
    voice, audio, prompt = (
        session[name] for name in ("input_text_synthesis", "output_audio_params", "zero_shot_config")
    )
    if prompt["audio_prompt_bytes"]:
        raise BadParameter(
            "zero_shot_config is not supported; leave it out and choose a listed voice.", "session.zero_shot_config"
        )
    if audio["num_channels"] != 1:
        raise BadParameter("num_channels takes 1.", "session.output_audio_params.num_channels")
    if str(audio["audio_format"]) not in _FORMATS:
        raise BadParameter(f"audio_format takes {', '.join(_FORMATS)}.", "session.output_audio_params.audio_format")
    fields = {
        "text": text,
        "language_code": voice["language_code"],
        "voice_name": voice["voice_name"],
        "encoding": _FORMATS[str(audio["audio_format"])],
        "sample_rate_hz": audio["sample_rate_hz"],
        "custom_dictionary": _dictionary(session["custom_dictionary"]),
        "custom_configuration": session["custom_configuration"],
    }
    try:
        return ParseDict(fields, tts.SynthesizeSpeechRequest())
    except (ParseError, TypeError, ValueError) as error:
        raise BadRequest(f"The session can't be read: {str(error)[:300]}") from error


def _dictionary(sent: Any) -> Any:
    """Riva's text form of a dictionary; a map is written the way NVIDIA's package writes one."""
    return ",".join(f"{word}  {spelt}" for word, spelt in sent.items()) if isinstance(sent, dict) else sent
