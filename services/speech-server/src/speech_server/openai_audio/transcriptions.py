"""POST /v1/audio/transcriptions: a recording in, its transcript out, whole or as it is heard."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.core.asr.ignored_options import WARNING
from speech_server.metrics import RequestStats
from speech_server.openai_audio import transcripts
from speech_server.openai_audio.endpoint_context import EndpointContext
from speech_server.openai_audio.sse import EventStream
from speech_server.openai_audio.transcription_params import TranscriptionParams, transcription
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
                params = transcription(upload.fields, recognition.recogniser.models, recognition.policy)
                async with context.recordings.queue_up() as waited_s:
                    stats.queue_s = waited_s
                    with context.metrics.serving("transcription"):
                        recording = _Recording(context, params, upload, stats)
                        return await (self._stream(request, recording, stats) if params.stream else _whole(recording))

    async def _stream(self, request: web.Request, recording: "_Recording", stats: RequestStats) -> web.StreamResponse:
        events = EventStream(request, stats)
        segments: list[Segment] = []
        async with aclosing(recording.segments()) as found:
            # The first utterance, or an error, comes before the status line is written.
            first = await anext(found, None)
            await events.begin()
            try:
                segment = first
                while segment is not None:
                    lead = " " if segments else ""
                    segments.append(segment)
                    delta = {"type": "transcript.text.delta", "delta": lead + segment.text}
                    if recording.params.logprobs:
                        delta["logprobs"] = transcripts.word_logprobs(segment.words)  # type: ignore[assignment]
                    await events.send(delta)
                    segment = await anext(found, None)
                await events.send(
                    {"type": "transcript.text.done", **_done(recording.transcript(segments), recording.params)}
                )
            except ConnectionError:
                raise
            except Exception as error:
                refused = self._context.error_response(error, ROUTE)
                stats.status = refused.status
                await events.send(refused.body())
        return await events.end()


class _Recording:
    """One recording on its way to a transcript."""

    def __init__(
        self, context: EndpointContext, params: TranscriptionParams, upload: Upload, stats: RequestStats
    ) -> None:
        self._context = context
        self.params = params
        self._upload = upload
        self._stats = stats

    async def segments(self) -> AsyncGenerator[Segment, None]:
        """Its utterances, as they are heard."""
        context, stats = self._context, self._stats
        async with (
            aclosing(self._audio()) as audio,
            aclosing(utterances_of(context.recognition, self.params.plan, audio)) as finals,
        ):
            async for final in finals:
                stats.inference_s += final.engine_s
                yield segment_of(final.hypothesis, final.start_s, final.audio_s)

    def transcript(self, segments: list[Segment]) -> Transcript:
        """All of it, once it is heard."""
        return Transcript(tuple(segments), self.params.plan.hints.language, self._stats.audio_s)

    async def _audio(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(pcm16_of(self._upload.file, self._context.uploads.longest_s)) as pieces:
            async for pcm16 in pieces:
                self._stats.audio_s += len(pcm16) / 2 / ASR_RATE_HZ
                yield pcm16


async def _whole(recording: _Recording) -> web.Response:
    async with aclosing(recording.segments()) as found:
        segments = [segment async for segment in found]
    transcript = recording.transcript(segments)
    params = recording.params
    match params.format:
        case "json":
            return web.json_response(transcripts.as_json(transcript, logprobs=params.logprobs))
        case "verbose_json":
            content = transcripts.as_verbose_json(transcript, segments=params.segments, words=params.words)
            return web.json_response(content, headers=_warned(params))
        case "text":
            text = transcripts.as_text(transcript)
        case "srt":
            text = transcripts.as_srt(transcript)
        case "vtt":
            text = transcripts.as_vtt(transcript)
    return web.Response(text=text, content_type=_SUBTITLES[params.format], charset="utf-8")


def _warned(params: TranscriptionParams) -> dict[str, str]:
    """The header of what is less than was asked for, named as the trailer of gRPC."""
    return {WARNING: " ".join(params.plan.warnings)} if params.plan.warnings else {}


def _done(transcript: Transcript, params: TranscriptionParams) -> dict[str, object]:
    content: dict[str, object] = {"text": transcript.text}
    if params.logprobs:
        content["logprobs"] = transcripts.word_logprobs([word for one in transcript.segments for word in one.words])
    return content
