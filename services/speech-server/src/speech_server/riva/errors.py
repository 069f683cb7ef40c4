"""How does an error become a gRPC status? The only place that knows."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import grpc

from speech_server import errors
from speech_server.core.asr.ignored_options import WARNING
from speech_server.core.requests.error_text import ascii_only, bounded
from speech_server.core.requests.request_stats import LEFT
from speech_server.metrics import Metrics, RequestStats

RETRY_AFTER = "retry-after-ms"
"""Trailer of RESOURCE_EXHAUSTED: when another try may be worth it."""

_STATUS: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (errors.BadRequest, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.Unauthorised, grpc.StatusCode.UNAUTHENTICATED),
    (errors.Forbidden, grpc.StatusCode.PERMISSION_DENIED),
    (errors.Busy, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.EngineBusy, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.NotServing, grpc.StatusCode.UNAVAILABLE),
    (errors.EngineError, grpc.StatusCode.UNAVAILABLE),
    (errors.TooQuiet, grpc.StatusCode.DEADLINE_EXCEEDED),
    (errors.NotRead, grpc.StatusCode.DEADLINE_EXCEEDED),
    (errors.WaitedTooLong, grpc.StatusCode.DEADLINE_EXCEEDED),
)
_log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class CallEnded(Exception):
    """The call has its status; the entrance lets it end."""


@asynccontextmanager
async def answering(context: Context, rpc: str, metrics: Metrics, retry_after_ms: int) -> AsyncIterator[RequestStats]:
    """Serve inside; what is raised inside becomes a status and a sentence, never a stack trace."""
    with metrics.request("grpc", rpc) as stats:
        try:
            yield stats
        except grpc.aio.AbortError:
            raise
        except asyncio.CancelledError:
            _note_left(rpc, stats)
            raise
        except Exception as error:
            if _has_left(context, errors.first_known(error)):
                _note_left(rpc, stats)
                # What gRPC takes from a handler whose call is over, without a word in its log.
                raise asyncio.CancelledError from error
            _refuse(context, rpc, metrics, stats, retry_after_ms, error)


def _note_left(rpc: str, stats: RequestStats) -> None:
    stats.status = LEFT
    _log.info("%s ended early: the client is gone, or the server stops", rpc)


def warn(context: Context, warnings: Sequence[str]) -> None:
    """Tell the caller with the status what had no effect."""
    if warnings:
        context.set_trailing_metadata(tuple((WARNING, ascii_only(sentence)) for sentence in warnings))


def _has_left(context: Context, error: BaseException) -> bool:
    """Did the call end under the handler? gRPC says so with errors of its own, before it cancels the handler."""
    return context.done() or isinstance(error, grpc.aio.UsageError | grpc.aio.InternalError)


def _refuse(
    context: Context, rpc: str, metrics: Metrics, stats: RequestStats, retry_after_ms: int, error: Exception
) -> NoReturn:
    cause = errors.first_known(error)
    code = status_of(cause)
    metrics.refused(rpc, code.name)
    stats.status = code.name
    if code is grpc.StatusCode.INTERNAL:
        _log.error("%s failed", rpc, exc_info=cause)
        _end(context, code, "Something went wrong inside the server; its log says what.", ())
    sentence = bounded(str(cause))
    _log.info("%s refused: %s: %s", rpc, code.name, sentence)
    trailer = cause.retry_after_ms if isinstance(cause, errors.Busy) else retry_after_ms
    busy = code is grpc.StatusCode.RESOURCE_EXHAUSTED
    _end(context, code, sentence, ((RETRY_AFTER, str(trailer)),) if busy else ())


def _end(context: Context, code: grpc.StatusCode, sentence: str, trailers: tuple[tuple[str, str], ...]) -> NoReturn:
    """Not `abort`: gRPC keeps its exception, and with it the call's frames and messages."""
    context.set_code(code)
    context.set_details(sentence)
    context.set_trailing_metadata(trailers)
    raise CallEnded


def status_of(error: BaseException) -> grpc.StatusCode:
    """The status of an error; INTERNAL for one that nobody expected."""
    return next((code for kind, code in _STATUS if isinstance(error, kind)), grpc.StatusCode.INTERNAL)
