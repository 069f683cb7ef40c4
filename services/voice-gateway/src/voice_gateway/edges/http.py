"""What do probes and scrapers ask? /livez, /readyz, /metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import generate_latest

from voice_gateway.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Readiness:
    """What /readyz tells."""

    reasons: Mapping[str, str]
    """Why not ready, by part; empty = ready."""
    draining: bool
    config_taken: str
    """First 12 characters of the SHA-256 of the live settings file that holds; "" = none."""
    config_refused: str
    """Why that file, as it stands, is not taken; the pod is ready all the same."""


def application(metrics: Metrics, ready: Callable[[], Readiness]) -> web.Application:
    """The HTTP port."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        now = ready()
        body = {
            "status": "not ready" if now.reasons else "ready",
            "reasons": dict(now.reasons),
            "draining": now.draining,
            "config": {"taken": now.config_taken, "refused": now.config_refused},
        }
        return web.json_response(body, status=503 if now.reasons else 200)

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    return app
