"""How do HTTP connections come in? So many at most, each with a request in time and a client that reads its answer.

aiohttp itself takes any number of connections, waits for ever for a client to read, and logs a traceback for bytes that
are no HTTP and for clients that leave.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from speech_server.core.requests.error_text import bounded

_log = logging.getLogger(__name__)

WAIT_S = 30.0
"""For the next request's headers, the first one's included, however slowly they trickle."""
HANDSHAKE_S = 10.0
MOST_HEADERS = 64
LONGEST_LINE_BYTES = 8190
"""Of a request line, and of a header."""


class _Quiet(logging.Filter):
    """One line for bytes that are no HTTP; none for a client that left, which its endpoint has noted."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, ConnectionError):
            return False
        if isinstance(error, HttpProcessingError):
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
            record.msg, record.args = "refused what is no HTTP request: %s", (bounded(str(error.message), 200),)
            record.exc_info = None
            return _log.isEnabledFor(logging.INFO)
        return True


def runner(application: web.Application, shutdown_s: float) -> web.AppRunner:
    """Not yet set up."""
    logger = logging.getLogger(f"{__name__}.aiohttp")
    if not logger.filters:
        logger.addFilter(_Quiet())
    return web.AppRunner(
        application,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=shutdown_s,
        logger=logger,
        keepalive_timeout=WAIT_S,
        max_headers=MOST_HEADERS,
        max_line_size=LONGEST_LINE_BYTES,
        max_field_size=LONGEST_LINE_BYTES,
    )


class _TurnedAway(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What clients can hold."""

    most_connections: int
    unread_s: float
    """A connection whose client reads nothing of an answer for so long is closed."""


class _BoundedConnection(asyncio.Protocol):
    """A connection of aiohttp's, closed when its buffer stays full: answers, events and WebSockets alike."""

    def __init__(self, inner: asyncio.Protocol, within_s: float) -> None:
        self._inner = inner
        self._within_s = within_s
        self._transport: asyncio.Transport | None = None
        self._full: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._full = asyncio.get_running_loop().call_later(self._within_s, self._let_go)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._forget()
        self._inner.resume_writing()

    def _let_go(self) -> None:
        assert self._transport is not None
        _log.info("a client read nothing of its answer for %g s: its connection is closed", self._within_s)
        self._transport.abort()

    def _forget(self) -> None:
        if self._full is not None:
            self._full.cancel()
            self._full = None


async def listen(
    runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None, limits: HttpLimits
) -> asyncio.Server:
    """Take connections for the runner's application, once it is set up. Raises OSError."""
    manager = runner.server
    assert manager is not None
    was_full = False

    def connection() -> asyncio.Protocol:
        nonlocal was_full
        is_full = len(manager.connections) >= limits.most_connections
        if is_full and not was_full:
            _log.warning("all %d HTTP connections are in use; more are closed at once", limits.most_connections)
        was_full = is_full
        return _TurnedAway() if is_full else _BoundedConnection(manager(), limits.unread_s)

    options: dict[str, Any] = {"ssl": context, "ssl_handshake_timeout": HANDSHAKE_S} if context is not None else {}
    return await asyncio.get_running_loop().create_server(connection, host, port, **options)
