"""What do probes and scrapers ask? Is it alive, is it ready and if not why, and its metrics."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

LIVE, READY, METRICS = "/livez", "/readyz", "/metrics"
NIM_PAGES = {LIVE: "/v1/health/live", READY: "/v1/health/ready", METRICS: "/v1/metrics"}
"""Where NVIDIA's NIMs have these pages."""

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the page tells."""

    reasons: Mapping[str, str]
    """Why it is not ready, by part; empty = ready."""
    details: Mapping[str, object] = field(default_factory=dict)
    """What else stands in the answer."""


def routes(ready: Callable[[], Readiness], registry: CollectorRegistry) -> Sequence[web.RouteDef]:
    """The three pages. What readiness means is the service's own."""
    return [web.get(LIVE, live_page), web.get(READY, ready_page(ready)), web.get(METRICS, metrics_page(registry))]


async def live_page(_: web.Request) -> web.Response:
    """200 for as long as the process answers at all."""
    return web.json_response({"status": "live"})


def ready_page(ready: Callable[[], Readiness]) -> Page:
    """200, or 503 with the reasons."""

    async def page(_: web.Request) -> web.Response:
        now = ready()
        status = "not ready" if now.reasons else "ready"
        body = {"status": status, "reasons": dict(now.reasons), **now.details}
        return web.json_response(body, status=503 if now.reasons else 200)

    return page


def metrics_page(registry: CollectorRegistry) -> Page:
    """What Prometheus reads."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return page
