"""How does an error become a gRPC status? The only place that knows."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import grpc

from speech_server.errors import BadRequest, Busy, NotFound, NotServing, SpeechError, TooQuiet, WaitedTooLong
from speech_server.metrics import Metrics, Ticket
from speech_server.ports import EngineBusy, EngineError

RETRY_AFTER = "retry-after-ms"
"""Trailer of RESOURCE_EXHAUSTED: when another try may be worth it."""

WARNING = "speech-warning"
"""Trailer, once for each thing that was asked for and has no effect here."""

_STATUS: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (BadRequest, grpc.StatusCode.INVALID_ARGUMENT),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (Busy, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (EngineBusy, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (NotServing, grpc.StatusCode.UNAVAILABLE),
    (EngineError, grpc.StatusCode.UNAVAILABLE),
    (TooQuiet, grpc.StatusCode.DEADLINE_EXCEEDED),
    (WaitedTooLong, grpc.StatusCode.DEADLINE_EXCEEDED),
)
_log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


@asynccontextmanager
async def answering(context: Context, rpc: str, metrics: Metrics, retry_after_ms: int) -> AsyncIterator[Ticket]:
    """Serve inside; what is raised inside becomes a status and a sentence, never a stack trace."""
    with metrics.request("grpc", rpc) as ticket:
        try:
            yield ticket
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            await _refuse(context, rpc, metrics, ticket, retry_after_ms, error)


def warn(context: Context, warnings: Sequence[str]) -> None:
    """Tell the caller with the status what had no effect."""
    if warnings:
        context.set_trailing_metadata(tuple((WARNING, _as_metadata(sentence)) for sentence in warnings))


def _as_metadata(sentence: str) -> str:
    """Printable ASCII: anything else in a trailer would break the whole answer."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in sentence).strip()


async def _refuse(
    context: Context, rpc: str, metrics: Metrics, ticket: Ticket, retry_after_ms: int, error: Exception
) -> NoReturn:
    cause = _first(error)
    code = next((code for kind, code in _STATUS if isinstance(cause, kind)), grpc.StatusCode.INTERNAL)
    metrics.refused(rpc, code.name)
    ticket.status = code.name
    if code is grpc.StatusCode.INTERNAL:
        _log.error("%s failed", rpc, exc_info=cause)
        await context.abort(code, "Something went wrong inside the server; its log says what.")
    _log.info("%s refused: %s: %s", rpc, code.name, cause)
    trailer = cause.retry_after_ms if isinstance(cause, Busy) else retry_after_ms
    busy = code is grpc.StatusCode.RESOURCE_EXHAUSTED
    await context.abort(code, str(cause), ((RETRY_AFTER, str(trailer)),) if busy else ())


def _first(error: BaseException) -> BaseException:
    """The error itself; of a group, the first known one inside."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner = [_first(one) for one in error.exceptions]
    known = (SpeechError, EngineError)
    return next((one for one in inner if isinstance(one, known)), inner[0])
