"""What does the server say of itself over HTTP? Alive, ready, metrics, at our paths and at those of a speech NIM."""

from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from serving.http_pages import LIVE, METRICS, NIM_PAGES, READY, Readiness, live_page, metrics_page, ready_page

HEALTHZ = "/healthz"
OPEN_PATHS = frozenset({HEALTHZ, *NIM_PAGES, *NIM_PAGES.values()})
"""What probes and Prometheus ask, which have neither a client certificate nor a token."""

States = Callable[[], Mapping[str, str]]


def application(waiting_for: States, engines: States, registry: CollectorRegistry) -> web.Application:
    """`waiting_for`: what isn't ready, and why. `engines`: what each has to say of itself: model, device, why there."""

    def ready() -> Readiness:
        missing = waiting_for()
        return Readiness(missing, {} if missing else {"engines": dict(engines())})

    pages = {LIVE: live_page, READY: ready_page(ready), METRICS: metrics_page(registry)}
    made = web.Application()
    for path, page in pages.items():
        made.add_routes([web.get(path, page), web.get(NIM_PAGES[path], page)])
    made.router.add_get(HEALTHZ, live_page)
    return made
