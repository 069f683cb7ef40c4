"""What do probes and scrapers ask? /livez, /readyz, /readyz/pod, /metrics."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from serving import http_pages
from serving.http_pages import Readiness

from voice_gateway.metrics import Metrics

MAX_CONNECTIONS = 64
CONNECTION_LIFE_S = 30.0
"""Probes and scrapers connect again; whoever sends nothing, or reads nothing, is gone by then."""
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class GatewayReadiness:
    """What /readyz and /readyz/pod tell."""

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
    asr: Mapping[str, str] = field(default_factory=dict)
    """Which target of recognition is preferred, and how each one is; empty = there is only one."""


def application(metrics: Metrics, ready: Callable[[], GatewayReadiness]) -> web.Application:
    """The HTTP port."""

    def told(reasons: Mapping[str, str], now: GatewayReadiness) -> Readiness:
        config = {"taken": now.config_taken, "refused": now.config_refused}
        targets = {"asr": dict(now.asr)} if now.asr else {}
        return Readiness(reasons, {"draining": now.draining, "config": config, **targets})

    def calls() -> Readiness:
        now = ready()
        return told(now.reasons, now)

    def pod() -> Readiness:
        now = ready()
        return told(now.pod_reasons, now)

    app = web.Application()
    app.add_routes(http_pages.routes(calls, metrics.registry))
    app.router.add_get("/readyz/pod", http_pages.ready_page(pod))
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
