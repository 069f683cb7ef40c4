"""POST /v1/audio/speech: a text in, its audio out while it is made.

`model` and `instructions` are taken and change nothing: one engine speaks here, and it takes no directions.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast, get_args

from aiohttp import web
from pcm import Resampler, duration_s

from speech_server.core.tts.ssml import broken_markup, is_ssml, without_tags
from speech_server.core.tts.tts_types import SpeechRequest
from speech_server.errors import BadRequest, EngineError, EngineUnavailable, TooLarge, TooQuiet
from speech_server.metrics import RequestStats
from speech_server.openai_audio import voice_names
from speech_server.openai_audio.encoders import MEDIA_TYPES, RATE_HZ, Format, encoder
from speech_server.openai_audio.endpoint_context import EndpointContext
from speech_server.openai_audio.errors import BadParameter
from speech_server.openai_audio.field_checks import MISSING, TYPE, number_of, one_of, only, text_of
from speech_server.openai_audio.sse import EventStream

ROUTE = "/v1/audio/speech"
_BODY_BYTES = 1 << 20
_SLOWEST, _FASTEST = 0.25, 4.0
_FIELDS = frozenset({"model", "input", "voice", "instructions", "response_format", "speed", "stream_format"})


@dataclass(frozen=True, slots=True)
class SpeechParams:
    """One request, decided."""

    request: SpeechRequest
    format: Format
    events: bool


class Speech:
    """The endpoint."""

    def __init__(self, context: EndpointContext) -> None:
        self._context = context

    async def answer(self, request: web.Request, stats: RequestStats) -> web.StreamResponse:
        """One request."""
        params = self._params(await _body(request, self._context.uploads.stall_s))
        with self._context.syntheses.admit(), self._context.metrics.serving("tts"):
            async with aclosing(self._audio(params, stats)) as audio:
                # The first audio, or an error, comes before the status line is written.
                first = await anext(audio, None)
                if first is None:
                    raise EngineUnavailable("The synthesiser made no audio of this text; try another.")
                if params.events:
                    return await self._send_events(request, stats, first, audio)
                return await _send_audio(request, stats, params.format, first, audio)

    def _params(self, body: dict[str, Any]) -> SpeechParams:
        only(body, _FIELDS)
        for name in ("model", "input"):
            if name not in body:
                raise BadParameter(f"{name} is missing; send a string.", name, MISSING)
        text_of(body["model"], "model")
        text = spoken_text(text_of(body["input"], "input"), self._context.text_limit)
        format = one_of(body.get("response_format", "mp3"), "response_format", get_args(Format))
        events = one_of(body.get("stream_format", "audio"), "stream_format", ("audio", "sse")) == "sse"
        speed = number_of(body.get("speed", 1.0), "speed", _SLOWEST, _FASTEST)
        text_of(body.get("instructions", ""), "instructions", may_be_empty=True)
        voices = self._context.synthesiser.voices
        try:
            voice = voice_names.choose(_voice_name(body), voices, self._context.voices)
        except BadParameter:
            raise
        except BadRequest as error:
            raise BadParameter(str(error).replace("voice_name", "voice"), "voice") from error
        request = SpeechRequest(text, voice, is_ssml(text), speed=speed)
        return SpeechParams(request, cast(Format, format), events)

    async def _audio(self, params: SpeechParams, stats: RequestStats) -> AsyncGenerator[bytes, None]:
        """The answer's bytes, each piece as soon as it is encoded."""
        arrived_at = time.monotonic()
        rate_hz = params.request.voice.rate_hz
        resampler = Resampler(rate_hz, RATE_HZ)
        coder = encoder(params.format)
        engine_s = 0.0
        async with aclosing(self._context.synthesiser.speak(params.request)) as chunks:
            asked_at = time.monotonic()
            async for chunk in chunks:
                engine_s += time.monotonic() - asked_at
                if not stats.audio_s:
                    self._context.metrics.first_chunk(time.monotonic() - arrived_at)
                stats.audio_s += duration_s(chunk.pcm16, rate_hz)
                stats.inference_s = engine_s
                made = await asyncio.to_thread(coder.push, resampler.push(chunk.pcm16))
                if made:
                    yield made
                asked_at = time.monotonic()
        if stats.audio_s:
            rest = await asyncio.to_thread(lambda: coder.push(resampler.flush()) + coder.flush())
            self._context.metrics.spoken(stats.audio_s)
            if rest:
                yield rest

    async def _send_events(
        self, request: web.Request, stats: RequestStats, first: bytes, audio: AsyncGenerator[bytes, None]
    ) -> web.StreamResponse:
        events = EventStream(request, stats)
        await events.begin()
        piece: bytes | None = first
        try:
            while piece is not None:
                await events.send({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
                piece = await anext(audio, None)
            usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
            await events.send({"type": "speech.audio.done", "usage": usage})
        except (EngineError, TooLarge) as error:
            refused = self._context.error_response(error, ROUTE)
            stats.status = refused.status
            await events.send(refused.body())
        return await events.end()


async def _send_audio(
    request: web.Request, stats: RequestStats, format: Format, first: bytes, audio: AsyncGenerator[bytes, None]
) -> web.StreamResponse:
    """An engine that fails on the way breaks the connection off: a short file would pass for a whole one."""
    response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPES[format]})
    stats.begun = True
    await response.prepare(request)
    await response.write(first)
    async for piece in audio:
        await response.write(piece)
    await response.write_eof()
    return response


async def _body(request: web.Request, stall_s: float) -> dict[str, Any]:
    if (request.content_length or 0) > _BODY_BYTES:
        raise TooLarge(f"The body is larger than {_BODY_BYTES} bytes; send a shorter input.")
    try:
        async with asyncio.timeout(stall_s):
            body = json.loads(await request.text())
    except TimeoutError as error:
        raise TooQuiet(f"The body did not come within {stall_s:g} s; send it at once.") from error
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8 text; send JSON with model, input and voice.") from error
    except (ValueError, LookupError, RecursionError) as error:
        raise BadRequest("The body is not JSON; send an object with model, input and voice.") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise TooLarge(f"The body is larger than {_BODY_BYTES} bytes; send a shorter input.") from error
    if not isinstance(body, dict):
        raise BadRequest("The body is not an object; send model, input and voice.")
    return body


def spoken_text(text: str, longest: int) -> str:
    """The text as it is spoken. Raises BadParameter."""
    if len(text) > longest:
        raise BadParameter(
            f"input has {len(text)} characters; send at most {longest}, sentence by sentence.",
            "input",
            "string_above_max_length",
        )
    if broken := broken_markup(text):
        raise BadParameter(broken.replace("The text", "input"), "input")
    plain = text if is_ssml(text) else without_tags(text)
    if not plain.strip():
        raise BadParameter("input has tags only; send something to say.", "input")
    return plain


def _voice_name(body: dict[str, Any]) -> str:
    """Without one, the operator's default speaks."""
    if "voice" not in body:
        return ""
    voice = body["voice"]
    if isinstance(voice, dict):
        only(voice, ("id",), "voice")
        voice = voice.get("id")
    if not isinstance(voice, str):
        raise BadParameter('voice takes a name, or an object such as {"id": "a name"}.', "voice", TYPE)
    return text_of(voice, "voice", may_be_empty=True)
