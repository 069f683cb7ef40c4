"""POST /v1/audio/transcriptions: a recording in, its transcript out, whole or as it is heard."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.core.asr.ignored_options import WARNING
from speech_server.metrics import RequestStats
from speech_server.openai_audio import transcription_params as asking
from speech_server.openai_audio import transcripts
from speech_server.openai_audio.endpoint_context import EndpointContext
from speech_server.openai_audio.sse import EventStream
from speech_server.openai_audio.transcription_params import TranscriptionParams
from speech_server.openai_audio.transcripts import Segment, Transcript, segment_of
from speech_server.openai_audio.upload import Upload, uploaded
from speech_server.recognition.audio_files import pcm16_of
from speech_server.recognition.offline import utterances_of

ROUTE = "/v1/audio/transcriptions"
_SUBTITLES = {"srt": "application/x-subrip", "vtt": "text/vtt", "text": "text/plain"}


class Transcriptions:
    """The endpoint."""

    def __init__(self, context: EndpointContext) -> None:
        self._context = context

    async def answer(self, request: web.Request, stats: RequestStats) -> web.StreamResponse:
        """One request. Refused before its body is read when everything is full."""
        context = self._context
        context.recordings.check()
        with context.uploading.admit():
            async with uploaded(request, context.uploads) as upload:
                recognition = context.recognition
                asked = asking.transcription(upload.fields, recognition.recogniser.models, recognition.policy)
                async with context.recordings.queue_up() as waited_s:
                    stats.queue_s = waited_s
                    with context.metrics.serving("transcription"):
                        heard = _Transcription(context, asked, upload, stats)
                        return await (self._stream(request, heard, stats) if asked.stream else _whole(heard))

    async def _stream(self, request: web.Request, heard: "_Transcription", stats: RequestStats) -> web.StreamResponse:
        events = EventStream(request, stats)
        segments: list[Segment] = []
        async with aclosing(heard.segments()) as found:
            # The first utterance, or an error, comes before the status line is written.
            first = await anext(found, None)
            await events.begin()
            try:
                segment = first
                while segment is not None:
                    lead = " " if segments else ""
                    segments.append(segment)
                    delta = {"type": "transcript.text.delta", "delta": lead + segment.text}
                    if heard.asked.logprobs:
                        delta["logprobs"] = transcripts.word_logprobs(segment.words)  # type: ignore[assignment]
                    await events.send(delta)
                    segment = await anext(found, None)
                await events.send({"type": "transcript.text.done", **_done(heard.transcript(segments), heard.asked)})
            except ConnectionError:
                raise
            except Exception as error:
                refused = self._context.error_response(error, ROUTE)
                stats.status = refused.status
                await events.send(refused.body())
        return await events.end()


class _Transcription:
    """One recording on its way to a transcript."""

    def __init__(
        self, context: EndpointContext, asked: TranscriptionParams, upload: Upload, stats: RequestStats
    ) -> None:
        self._context = context
        self.asked = asked
        self._upload = upload
        self._stats = stats

    async def segments(self) -> AsyncGenerator[Segment, None]:
        """Its utterances, as they are heard."""
        context, stats = self._context, self._stats
        async with (
            aclosing(self._audio()) as audio,
            aclosing(utterances_of(context.recognition, self.asked.plan, audio)) as finals,
        ):
            async for final in finals:
                stats.inference_s += final.engine_s
                yield segment_of(final.hypothesis, final.start_s, final.audio_s)

    def transcript(self, segments: list[Segment]) -> Transcript:
        """All of it, once it is heard."""
        return Transcript(tuple(segments), self.asked.plan.hints.language, self._stats.audio_s)

    async def _audio(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(pcm16_of(self._upload.file, self._context.uploads.longest_s)) as pieces:
            async for pcm16 in pieces:
                self._stats.audio_s += len(pcm16) / 2 / ASR_RATE_HZ
                yield pcm16


async def _whole(heard: _Transcription) -> web.Response:
    async with aclosing(heard.segments()) as found:
        segments = [segment async for segment in found]
    transcript = heard.transcript(segments)
    asked = heard.asked
    match asked.format:
        case "json":
            return web.json_response(transcripts.as_json(transcript, logprobs=asked.logprobs))
        case "verbose_json":
            content = transcripts.as_verbose_json(transcript, segments=asked.segments, words=asked.words)
            return web.json_response(content, headers=_warned(asked))
        case "text":
            text = transcripts.as_text(transcript)
        case "srt":
            text = transcripts.as_srt(transcript)
        case "vtt":
            text = transcripts.as_vtt(transcript)
    return web.Response(text=text, content_type=_SUBTITLES[asked.format], charset="utf-8")


def _warned(asked: TranscriptionParams) -> dict[str, str]:
    """The header of what is less than was asked for, named as the trailer of gRPC."""
    return {WARNING: " ".join(asked.plan.warnings)} if asked.plan.warnings else {}


def _done(transcript: Transcript, asked: TranscriptionParams) -> dict[str, object]:
    content: dict[str, object] = {"text": transcript.text}
    if asked.logprobs:
        content["logprobs"] = transcripts.word_logprobs([word for one in transcript.segments for word in one.words])
    return content
