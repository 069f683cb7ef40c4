"""What do the endpoints work with, and what surrounds each of them? Metrics, the request log, errors in one shape."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from speech_server.admission import Admission
from speech_server.core.requests.request_stats import LEFT
from speech_server.core.tts.voices import VoicePolicy
from speech_server.interfaces import Synthesiser
from speech_server.metrics import Metrics, RequestStats
from speech_server.openai_audio.errors import ErrorResponse, error_response
from speech_server.recognition.pipeline import RecognitionContext

_log = logging.getLogger(__name__)

Answer = Callable[[web.Request, RequestStats], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much of a recording is taken."""

    most_bytes: int
    longest_s: float
    stall_s: float
    """Nothing comes for so long: the upload is ended."""


@dataclass(frozen=True, slots=True)
class EndpointContext:
    """Everything the endpoints need."""

    recognition: RecognitionContext
    synthesiser: Synthesiser
    voices: VoicePolicy
    text_limit: int
    uploads: UploadLimits
    uploading: Admission
    """Recordings on their way in, or in line."""
    recordings: Admission
    """Recordings being transcribed; the same gate as Recognize's."""
    streams: Admission
    syntheses: Admission
    metrics: Metrics

    @property
    def retry_after_ms(self) -> int:
        """What a refused caller is told to wait."""
        return self.recognition.retry_after_ms

    def error_response(self, error: BaseException, route: str) -> ErrorResponse:
        """The error as the caller sees it; counted."""
        found = error_response(error, route, self.retry_after_ms)
        self.metrics.refused(route, found.status)
        return found

    def endpoint(self, route: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """`answer` with its errors translated and its request counted, timed and logged.

        An error after the answer has begun breaks the connection off, unless `answer` says it in an event.
        """

        async def served(request: web.Request) -> web.StreamResponse:
            with self.metrics.request("http", route) as stats:
                try:
                    answered = await answer(request, stats)
                except (ConnectionError, asyncio.CancelledError):
                    stats.status = LEFT
                    _note_left(route)
                    raise
                except Exception as error:
                    found = self.error_response(error, route)
                    stats.status = found.status
                    if not stats.begun:
                        return found.response()
                    # A short file would pass for a whole one: the connection ends without the end of the body.
                    if request.transport is not None:
                        request.transport.close()
                    raise ConnectionAbortedError(found.sentence) from error
                if stats.status == LEFT:
                    _note_left(route)
                return answered

        return served


def _note_left(route: str) -> None:
    _log.info("%s ended early: the client is gone, or the server stops", route)
