"""What does the server say over HTTP? Alive, ready, metrics; at our own paths and at those of a speech NIM."""

from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from speech_server.metrics import Metrics

Waiting = Callable[[], Mapping[str, str]]
"""What isn't ready, and why; empty when everything is."""


States = Callable[[], Mapping[str, str]]
"""What each engine has to say of itself: model, device, and why there."""


def application(waiting: Waiting, metrics: Metrics, states: States = dict) -> web.Application:
    """The HTTP side."""

    async def live(request: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def ready(request: web.Request) -> web.Response:
        missing = dict(waiting())
        if missing:
            return web.json_response({"status": "not ready", "waiting_for": missing}, status=503)
        return web.json_response({"status": "ready", "engines": dict(states())})

    async def page(request: web.Request) -> web.Response:
        return web.Response(body=metrics.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    made = web.Application()
    made.add_routes(
        [
            web.get("/livez", live),
            web.get("/healthz", live),
            web.get("/readyz", ready),
            web.get("/metrics", page),
            web.get("/v1/health/live", live),
            web.get("/v1/health/ready", ready),
            web.get("/v1/metrics", page),
        ]
    )
    return made
