"""Does a canary get its share of new calls, and leave running ones where they are?"""

import time
from collections.abc import Iterator

import pytest

from e2e.conftest import Installing
from e2e.support.callers import Callers, calls, start, tally
from e2e.support.cluster import Cluster
from e2e.support.config import ClusterConfig
from e2e.support.figures import Figures
from e2e.support.release import Release
from e2e.support.traffic_share import share_of_canary
from e2e.support.voicectl import voicectl

NEW_CALLS, WEIGHT = 200, 25
ROLLBACK_WITHIN_S, FULL_ROLLBACK_WITHIN_S = 30, 300
RUNNING, RUNNING_S = 10, 60


@pytest.fixture
def routed(installing: Installing, cluster: Cluster, config: ClusterConfig) -> Iterator[tuple[Release, str]]:
    """A release behind the Gateway, and the Gateway's address; the first call has come through."""
    assert config.gateway, (
        "name a Gateway with E2E_GATEWAY=namespace/name, or leave its tests out with E2E_WITHOUT=gateway"
    )
    namespace, name = config.gateway.split("/")
    parent = "gatewayApi.parentRefs[0]"
    settings = {"gatewayApi.enabled": "true", f"{parent}.name": name, f"{parent}.namespace": namespace}
    with installing("scripted", "route", settings) as release:
        target = config.gateway_address or cluster.gateway_address(config.gateway)
        # A Gateway needs a moment to see a new route's endpoints; until then calls are refused.
        for attempt in range(20):
            first = start(cluster, release.namespace, f"first-{attempt}", config.image("client"), calls(target))
            if tally(first.outcomes(within_s=60)) == {"normal": 1}:
                break
        yield release, target


@pytest.mark.gateway
def test_a_canary_by_route(
    routed: tuple[Release, str], cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    release, target = routed
    running = _running(cluster, release, target, "running")
    with figures.timed("canary start by route, s"):
        _start(release, config)
    share = share_of_canary(cluster, release, target, NEW_CALLS, "new")
    figures.say("canary's share of 200 calls by route at 25 %, %", share)
    assert abs(share - WEIGHT) <= 5
    on_both = _running(cluster, release, target, "on-both")
    _roll_back(release, figures, "canary rollback by route, s")
    assert cluster.weights(release.namespace, release.gateway) == {
        f"{release.gateway}-stable": 100,
        f"{release.gateway}-canary": 0,
    }
    assert share_of_canary(cluster, release, target, 40, "after") == 0
    _stayed(running, figures, "calls held from before the canary")
    _stayed(on_both, figures, "calls held through the rollback")


def test_a_canary_by_replicas(
    installing: Installing, cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    with installing("scripted", "replicas", {"replicas": "3"}) as release:
        target = release.address()
        running = _running(cluster, release, target, "running")
        with figures.timed("canary start by replicas, s"):
            _start(release, config)
        assert len([pod for pod in cluster.ready(release.namespace) if pod.track == "canary"]) == 1
        share = share_of_canary(cluster, release, target, NEW_CALLS, "new")
        figures.say("canary's share of 200 calls by replicas, 1 of 4 pods, %", share)
        assert abs(share - WEIGHT) <= 10
        _roll_back(release, figures, "canary rollback by replicas, s")
        assert share_of_canary(cluster, release, target, 40, "after") == 0
        _stayed(running, figures, "calls held through a canary by replicas")


def test_a_promoted_canary_is_the_release_and_helm_goes_on(
    installing: Installing, cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    with installing("scripted", "promote") as release:
        _start(release, config)
        new = start(cluster, release.namespace, "new", config.image("client"), _stream(release))
        new.wait_up(2)
        with figures.timed("canary promote, s"):
            voicectl(release, "canary", "promote")
        assert tally(new.outcomes(within_s=120)).keys() == {"normal"}
        canary = config.image("gateway", config.canary_tag)
        assert _images(cluster, release) == {canary}
        promoted = {pod.uid for pod in cluster.ready(release.namespace)}
        # The line that voicectl prints, so that the chart's record agrees: nothing rolls.
        release.upgrade({"image.gateway": canary})
        assert {pod.uid for pod in cluster.ready(release.namespace)} == promoted


def test_a_full_rollback_by_helm(
    installing: Installing, cluster: Cluster, config: ClusterConfig, figures: Figures
) -> None:
    with installing("scripted", "rollback") as release:
        running = _running(cluster, release, release.address(), "bad")
        bad = config.image("gateway", config.canary_tag)
        release.upgrade({"image.gateway": bad, "config.asr.chunkMs": "200", "config.llm.temperature": "0.9"})
        assert _images(cluster, release) == {bad}
        began = time.monotonic()
        release.rollback()
        cluster.wait_ready(release.namespace, config.replicas)
        took_s = time.monotonic() - began
        figures.say("full helm rollback to all old pods ready, s", took_s)
        assert took_s < FULL_ROLLBACK_WITHIN_S
        assert _images(cluster, release) == {config.image("gateway")}
        _stayed(running, figures, "calls held through a release and its rollback")


def _stream(release: Release) -> list[str]:
    return calls(release.address(), every_s=0.5, for_s=40, hold_s=1, audio=False)


def _start(release: Release, config: ClusterConfig) -> None:
    image = config.image("gateway", config.canary_tag)
    voicectl(release, "canary", "start", "--image", image, "--weight", str(WEIGHT))


def _roll_back(release: Release, figures: Figures, name: str) -> None:
    with figures.timed(name):
        voicectl(release, "canary", "rollback")
    assert float(figures.found[name]) < ROLLBACK_WITHIN_S


def _running(cluster: Cluster, release: Release, target: str, name: str) -> Callers:
    command = calls(target, count=RUNNING, hold_s=RUNNING_S if name == "running" else RUNNING_S / 4)
    callers = start(cluster, release.namespace, name, release.config.image("client"), command)
    callers.wait_up(RUNNING)
    return callers


def _stayed(callers: Callers, figures: Figures, name: str) -> None:
    outcomes = callers.outcomes(within_s=120)
    figures.say(name, str(tally(outcomes)))
    assert tally(outcomes) == {"normal": RUNNING}, outcomes
    assert not any(one.dropped for one in outcomes)


def _images(cluster: Cluster, release: Release) -> set[str]:
    found = cluster.core.list_namespaced_pod(
        release.namespace, label_selector="app.kubernetes.io/name=voice-gateway"
    ).items
    return {pod.spec.containers[0].image for pod in found if pod.metadata.deletion_timestamp is None}
