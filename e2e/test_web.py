"""Do the page and the WebSockets come through the Gateway, and does a silent WebSocket stay?"""

import json
from collections.abc import Iterator

import pytest

from e2e.conftest import Installing
from e2e.support.callers import Callers, start
from e2e.support.cluster import Cluster
from e2e.support.config import ClusterConfig
from e2e.support.port_forward import port_forward
from e2e.support.release import Release
from e2e.support.shell import run

CALLS, PAGE = "voice.e2e.example", "talk.e2e.example"
SILENT_S = 75
"""Longer than the minute after which proxies cut what is idle."""


@pytest.fixture(scope="module")
def routed(installing: Installing, cluster: Cluster, config: ClusterConfig) -> Iterator[tuple[Release, str]]:
    """A release behind the Gateway with a host for browsers, and the Gateway's address."""
    assert config.gateway, (
        "name a Gateway with E2E_GATEWAY=namespace/name, or leave its tests out with E2E_WITHOUT=gateway"
    )
    namespace, name = config.gateway.split("/")
    parent = "gatewayApi.parentRefs[0]"
    settings = {
        "gatewayApi.enabled": "true",
        f"{parent}.name": name,
        f"{parent}.namespace": namespace,
        "gatewayApi.hostnames[0]": CALLS,
        "gatewayApi.web.hostnames[0]": PAGE,
    }
    with installing("scripted", "web", settings) as release:
        yield release, config.gateway_address or cluster.gateway_address(config.gateway)


def browse(cluster: Cluster, release: Release, target: str, name: str, hold_s: float = 0) -> dict[str, object]:
    """What e2e/programs/browse.py finds; tried again while the Gateway has not seen the route's endpoints."""
    command = ["python", "/programs/browse.py", "--connect", target, "--host", PAGE]
    command += ["--hold-s", str(hold_s)]
    found: dict[str, object] = {}
    for attempt in range(10):
        asking: Callers = start(
            cluster, release.namespace, f"{name}-{attempt}", release.config.image("client"), command
        )
        asking.outcomes(within_s=60 + hold_s)
        if asking.succeeded():
            found = json.loads(asking.text())
            if found["page"] == 200:
                break
    return found


@pytest.mark.gateway
def test_the_page_and_a_silent_websocket_come_through_the_gateway(
    routed: tuple[Release, str], cluster: Cluster
) -> None:
    release, target = routed
    found = browse(cluster, release, target, "browse", SILENT_S)
    assert (found["page"], found["kind"]) == (200, "text/html"), found
    assert (found["socket"], found["began"], found["ended"]) == (101, True, True), found


@pytest.mark.gateway
def test_the_page_comes_through_port_forward(routed: tuple[Release, str]) -> None:
    release, _ = routed
    with port_forward(release.namespace, f"svc/{release.gateway}", 8090) as address:
        page = run(
            ["curl", "--fail", "--silent", "--show-error", "--max-time", "10", f"http://{address}/"], timeout_s=20
        )
    assert "<html" in page
