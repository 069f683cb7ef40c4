"""POST /v1/audio/transcriptions: a recording in, its transcript out, whole or as it is heard."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.core.asr.ignored_options import WARNING
from speech_server.metrics import Ticket
from speech_server.openai_audio import transcription_params as asking
from speech_server.openai_audio import transcripts
from speech_server.openai_audio.endpoint_context import Edge
from speech_server.openai_audio.sse import EventStream
from speech_server.openai_audio.transcription_params import Asked
from speech_server.openai_audio.transcripts import Segment, Transcript, segment_of
from speech_server.openai_audio.upload import Upload, uploaded
from speech_server.recognition.audio_files import pcm16_of
from speech_server.recognition.offline import utterances_of

ROUTE = "/v1/audio/transcriptions"
_SUBTITLES = {"srt": "application/x-subrip", "vtt": "text/vtt", "text": "text/plain"}


class Transcriptions:
    """The endpoint."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def answer(self, request: web.Request, ticket: Ticket) -> web.StreamResponse:
        """One request. Refused before its body is read when everything is full."""
        edge = self._edge
        edge.recordings.check()
        with edge.uploading.admit():
            async with uploaded(request, edge.uploads) as upload:
                listening = edge.listening
                asked = asking.transcription(upload.fields, listening.recogniser.models, listening.policy)
                async with edge.recordings.queue_up() as waited_s:
                    ticket.queue_s = waited_s
                    with edge.metrics.serving("transcription"):
                        heard = _Heard(edge, asked, upload, ticket)
                        return await (self._stream(request, heard, ticket) if asked.stream else _whole(heard))

    async def _stream(self, request: web.Request, heard: "_Heard", ticket: Ticket) -> web.StreamResponse:
        events = EventStream(request, ticket)
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
                refused = self._edge.refusal(error, ROUTE)
                ticket.status = refused.status
                await events.send(refused.body())
        return await events.end()


class _Heard:
    """One recording on its way to a transcript."""

    def __init__(self, edge: Edge, asked: Asked, upload: Upload, ticket: Ticket) -> None:
        self._edge = edge
        self.asked = asked
        self._upload = upload
        self._ticket = ticket

    async def segments(self) -> AsyncGenerator[Segment, None]:
        """Its utterances, as they are heard."""
        edge, ticket = self._edge, self._ticket
        async with (
            aclosing(self._audio()) as audio,
            aclosing(utterances_of(edge.listening, self.asked.plan, audio)) as finals,
        ):
            async for final in finals:
                ticket.inference_s += final.engine_s
                yield segment_of(final.hypothesis, final.start_s, final.audio_s)

    def transcript(self, segments: list[Segment]) -> Transcript:
        """All of it, once it is heard."""
        return Transcript(tuple(segments), self.asked.plan.hints.language, self._ticket.audio_s)

    async def _audio(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(pcm16_of(self._upload.file, self._edge.uploads.longest_s)) as pieces:
            async for pcm16 in pieces:
                self._ticket.audio_s += len(pcm16) / 2 / ASR_RATE_HZ
                yield pcm16


async def _whole(heard: _Heard) -> web.Response:
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


def _warned(asked: Asked) -> dict[str, str]:
    """The header of what is less than was asked for, named as the trailer of gRPC."""
    return {WARNING: " ".join(asked.plan.warnings)} if asked.plan.warnings else {}


def _done(transcript: Transcript, asked: Asked) -> dict[str, object]:
    content: dict[str, object] = {"text": transcript.text}
    if asked.logprobs:
        content["logprobs"] = transcripts.word_logprobs([word for one in transcript.segments for word in one.words])
    return content
