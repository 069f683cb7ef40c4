"""What do probes and scrapers ask? /livez, /readyz, /metrics."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import generate_latest

from voice_gateway.metrics import Metrics


def application(metrics: Metrics, not_ready: Callable[[], dict[str, str]]) -> web.Application:
    """The HTTP port. `not_ready` gives the reasons, by part; empty = ready."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        reasons = not_ready()
        return web.json_response(
            {"status": "not ready" if reasons else "ready", "reasons": reasons}, status=503 if reasons else 200
        )

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    return app
