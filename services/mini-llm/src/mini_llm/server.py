"""How does the HTTP server come up, say how it is, and go down?"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from serving import http_pages
from serving.http_server import HttpLimits, HttpServer
from serving.ports import write_ports_file

from mini_llm.chat import Chat
from mini_llm.interfaces import Timeline
from mini_llm.metrics import Metrics
from mini_llm.request import RequestRefused
from mini_llm.responses import error_body, model_card, model_list
from mini_llm.rulebook import load_rulebook
from mini_llm.settings import Settings
from mini_llm.timeline import NoTimeline, TimelineFile

LARGEST_BODY_BYTES = 4 * 1024 * 1024
RETRY_AFTER_S = 1
LIMITS = HttpLimits(most_connections=10_000, idle_s=3600.0)
"""A client keeps its connections between the turns of a call."""

_LOG = logging.getLogger("mini_llm")

_Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannotServe(Exception):
    """The server cannot start; the message is a sentence for the operator."""


@dataclass(slots=True)
class Readiness:
    """May chat requests come? No, with a sentence, while it loads and while it drains."""

    obstacle: str = "Service is loading."

    @property
    def is_ready(self) -> bool:
        """True when nothing is in the way."""
        return not self.obstacle

    @property
    def reasons(self) -> dict[str, str]:
        """The obstacle, if there is one, for the page that says so."""
        return {"llm": self.obstacle} if self.obstacle else {}


@asynccontextmanager
async def serving(settings: Settings, timeline: Timeline | None = None) -> AsyncIterator[int]:
    """Serve inside this context; gives the port. On leaving, running answers get `drain_s` to end.

    Raises PortTaken, or CannotServe when a file cannot be written.
    """
    file = None
    if timeline is None and settings.timeline:
        with _writing("MINI_LLM_TIMELINE", settings.timeline):
            file = TimelineFile(settings.timeline)
    readiness = Readiness()
    metrics = Metrics()
    chat = Chat(settings, metrics, timeline or file or NoTimeline())
    server = HttpServer(build_app(chat, readiness), settings.drain_s, LIMITS)
    loading: asyncio.TimerHandle | None = None
    try:
        port = await server.listen(settings.host, settings.port, "MINI_LLM_PORT")
        load_rulebook()
        loading = _become_ready(readiness, settings.ready_after_ms / 1000)
        if settings.ports_file:
            with _writing("MINI_LLM_PORTS_FILE", settings.ports_file):
                write_ports_file(settings.ports_file, http=port)
        yield port
    finally:
        if loading:
            loading.cancel()
        readiness.obstacle = "Service is shutting down."
        await server.stop()
        if file:
            file.close()


def build_app(chat: Chat, readiness: Readiness) -> web.Application:
    """All routes."""
    settings, started = chat.settings, int(time.time())

    async def complete(http: web.Request) -> web.StreamResponse:
        if not readiness.is_ready:
            raise RequestRefused(readiness.obstacle, status=503)
        return await chat.complete(http)

    async def models(http: web.Request) -> web.Response:
        return web.json_response(model_list(settings.model, started))

    async def model(http: web.Request) -> web.Response:
        name = http.match_info["model"]
        if name != settings.model:
            raise RequestRefused(f"The model `{name}` does not exist.", "model", status=404)
        return web.json_response(model_card(name, started))

    async def live(http: web.Request) -> web.Response:
        return _health("Service is live.", 200)

    async def ready(http: web.Request) -> web.Response:
        return _health("Service is ready.", 200) if readiness.is_ready else _health(readiness.obstacle, 503)

    app = web.Application(middlewares=[_errors_as_json], client_max_size=LARGEST_BODY_BYTES)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/v1/models", models)
    app.router.add_get("/v1/models/{model:.+}", model)
    app.router.add_get("/v1/health/live", live)
    app.router.add_get("/v1/health/ready", ready)
    app.router.add_get(http_pages.NIM_PAGES[http_pages.METRICS], http_pages.metrics_page(chat.metrics.registry))
    app.add_routes(http_pages.routes(lambda: http_pages.Readiness(readiness.reasons), chat.metrics.registry))
    return app


@web.middleware
async def _errors_as_json(request: web.Request, handler: _Endpoint) -> web.StreamResponse:
    """Every error leaves in vLLM's form, without a stack trace. (aiohttp names the arguments.)"""
    try:
        return await handler(request)
    except RequestRefused as refusal:
        return _error(refusal.message, refusal.status, refusal.param)
    except web.HTTPException as error:
        return _error(f"{request.method} {request.path}: {error.reason}.", error.status)
    except Exception:
        _LOG.exception("%s %s failed", request.method, request.path)
        return _error("The server failed. Its log says why.", 500)


def _error(message: str, status: int, param: str | None = None) -> web.Response:
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503) else None
    return web.json_response(error_body(message, status, param), status=status, headers=headers)


def _health(message: str, status: int) -> web.Response:
    return web.json_response({"object": "health.response", "message": message}, status=status)


def _become_ready(readiness: Readiness, after_s: float) -> asyncio.TimerHandle | None:
    """Now, or later by the timer given back."""

    def ready() -> None:
        readiness.obstacle = ""

    if after_s:
        return asyncio.get_running_loop().call_later(after_s, ready)
    ready()
    return None


@contextmanager
def _writing(setting: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotServe(f"Cannot write {setting} {path}: {error.strerror}.") from error
