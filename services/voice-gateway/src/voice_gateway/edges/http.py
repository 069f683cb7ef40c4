"""What do probes and scrapers ask? /livez, /readyz, /readyz/pod, /metrics."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from prometheus_client import generate_latest

from voice_gateway.metrics import Metrics

MAX_CONNECTIONS = 64
CONNECTION_LIFE_S = 30.0
"""Probes and scrapers connect again; whoever sends nothing, or reads nothing, is gone by then."""
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Readiness:
    """What /readyz tells."""

    reasons: Mapping[str, str]
    """Why no call can go well here now, by part; empty = ready."""
    pod_reasons: Mapping[str, str]
    """Why this pod should get no callers at all, by part. A backend that was there and went away is none: somebody
    has to tell callers so, and where every pod misses it, none would be left to do it."""
    draining: bool
    config_taken: str
    """First 12 characters of the SHA-256 of the live settings file that holds; "" = none."""
    config_refused: str
    """Why that file, as it stands, is not taken; the pod is ready all the same."""


def application(metrics: Metrics, ready: Callable[[], Readiness]) -> web.Application:
    """The HTTP port."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        now = ready()
        reasons = now.pod_reasons if request.path.endswith("/pod") else now.reasons
        body = {
            "status": "not ready" if reasons else "ready",
            "reasons": dict(reasons),
            "draining": now.draining,
            "config": {"taken": now.config_taken, "refused": now.config_refused},
        }
        return web.json_response(body, status=503 if reasons else 200)

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), content_type="text/plain", charset="utf-8")

    app = web.Application()
    pages = {"/livez": livez, "/readyz": readyz, "/readyz/pod": readyz, "/metrics": scrape}
    app.add_routes([web.get(path, page) for path, page in pages.items()])
    return app


async def bound_connections(server: web.Server, most: int = MAX_CONNECTIONS, life_s: float = CONNECTION_LIFE_S) -> None:
    """Close those that are open for too long, and of too many the oldest, until cancelled: a probe, which is new,
    always gets its answer."""
    now = asyncio.get_running_loop().time
    since: dict[Any, float] = {}
    while True:
        since = {connection: since.get(connection, now()) for connection in server.connections}
        old = [connection for connection, at in since.items() if now() - at >= life_s]
        for connection in {*old, *list(since)[: max(0, len(since) - most)]}:
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(_LOOK_EVERY_S)
