"""What do probes and scrapers ask? /livez, /readyz, /readyz/pod, /metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import generate_latest

from voice_gateway.metrics import Metrics


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
