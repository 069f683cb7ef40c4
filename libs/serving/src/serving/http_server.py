"""How do HTTP connections come in? So many at most, each with a request in time and a client that reads its answer.

aiohttp itself takes any number of connections, waits for ever for a client to read, and logs a traceback for bytes that
are no HTTP and for clients that leave.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from serving.ports import PortTaken

_log = logging.getLogger(__name__)

WAIT_S = 30.0
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
            record.msg, record.args = (
                "refused bytes that are no HTTP request: %s",
                (" ".join(error.message.split())[:200],),
            )
            record.exc_info = None
            return _log.isEnabledFor(logging.INFO)
        return True


class _TurnedAway(asyncio.Protocol):
    """One connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What clients can hold. The defaults are for a port of probes and scrapers."""

    most_connections: int = 1024
    unread_s: float = 60.0
    """A connection whose client reads nothing of an answer for so long is closed."""
    idle_s: float = field(default_factory=lambda: WAIT_S)
    """For the next request's headers, the first one's included, however slowly they trickle."""


_DEFAULT_LIMITS = HttpLimits()


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


class HttpServer:
    """An application on a port: `listen`, then `stop`."""

    def __init__(self, application: web.Application, shutdown_s: float, limits: HttpLimits = _DEFAULT_LIMITS) -> None:
        """`shutdown_s`: what running requests have to end once it stops."""
        logger = logging.getLogger(f"{__name__}.aiohttp")
        if not logger.filters:
            logger.addFilter(_Quiet())
        self._limits = limits
        self._was_full = False
        self._listening: asyncio.Server | None = None
        self._runner = web.AppRunner(
            application,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=shutdown_s,
            logger=logger,
            keepalive_timeout=limits.idle_s,
            max_headers=MOST_HEADERS,
            max_line_size=LONGEST_LINE_BYTES,
            max_field_size=LONGEST_LINE_BYTES,
        )

    async def listen(self, host: str, port: int, setting: str, context: ssl.SSLContext | None = None) -> int:
        """Serve; gives the port. `setting` names its variable. Raises PortTaken."""
        await self._runner.setup()
        tls: dict[str, Any] = {"ssl": context, "ssl_handshake_timeout": HANDSHAKE_S} if context is not None else {}
        try:
            self._listening = await asyncio.get_running_loop().create_server(self._connection, host, port, **tls)
        except OSError:
            raise PortTaken(host, port, setting) from None
        return int(self._listening.sockets[0].getsockname()[1])

    @property
    def manager(self) -> web.Server:
        """aiohttp's own, with its connections."""
        assert self._runner.server is not None, "it listens"
        return self._runner.server

    def close_idle(self) -> None:
        """Connections that wait for a next request are closed."""
        if self._runner.server is not None:
            self._runner.server.pre_shutdown()

    async def stop(self) -> None:
        """Take no more, and let running requests end. Safe after whatever `listen` did."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.Protocol:
        manager, most = self.manager, self._limits.most_connections
        is_full = len(manager.connections) >= most
        if is_full and not self._was_full:
            _log.warning("all %d HTTP connections are in use; more are closed at once", most)
        self._was_full = is_full
        return _TurnedAway() if is_full else _BoundedConnection(manager(), self._limits.unread_s)
