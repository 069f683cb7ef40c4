"""Does the system stay up when pods are taken away? Evictions, node drains, backends that die."""

import time
from collections.abc import Iterator

import pytest

from e2e.conftest import Installing
from e2e.support.callers import calls, start, tally
from e2e.support.cluster import Cluster, Pod
from e2e.support.config import ClusterConfig
from e2e.support.figures import Figures
from e2e.support.poll import until
from e2e.support.release import Release
from e2e.support.shell import attempt, run


@pytest.fixture(scope="module")
def release(installing: Installing) -> Iterator[Release]:
    settings = {"config.gateway.downAfterS": "2", "config.gateway.probeEveryS": "0.5", "drain.seconds": "2"}
    with installing("scripted", "disrupt", settings) as release:
        yield release


def test_one_pod_is_evicted_at_a_time(release: Release, cluster: Cluster) -> None:
    _two_pods(release, cluster)
    first, last = cluster.ready(release.namespace)
    assert cluster.evict(release.namespace, first.name) == 201
    assert cluster.evict(release.namespace, last.name) == 429
    cluster.wait_ready(release.namespace, 2)


def test_a_drain_of_every_node_waits_at_the_last_ready_pod(release: Release, cluster: Cluster) -> None:
    _two_pods(release, cluster)
    nodes = [node.metadata.name for node in cluster.core.list_node().items]
    selector = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/name=voice-gateway"
    order = ["kubectl", "drain", *nodes, "--pod-selector", selector, "--ignore-daemonsets"]
    order += ["--delete-emptydir-data", "--timeout=12s"]
    try:
        said = attempt(order, timeout_s=60)
        (last,) = cluster.ready(release.namespace)
    finally:
        run(["kubectl", "uncordon", *nodes], timeout_s=30)
    assert said.status, said.out
    assert "disruption budget" in said.err, said.err
    cluster.wait_ready(release.namespace, 2)
    assert last.uid in {pod.uid for pod in cluster.ready(release.namespace)}


def test_autoscaling_keeps_the_pods_that_run_and_so_does_a_hand(release: Release, cluster: Cluster) -> None:
    cluster.scale(release.namespace, release.gateway, 3)
    cluster.wait_ready(release.namespace, 3)
    running = {pod.uid for pod in cluster.ready(release.namespace)}
    release.upgrade({"config.llm.temperature": "0.6"})
    release.upgrade({"autoscaling.enabled": "true", "autoscaling.minReplicas": "1", "autoscaling.maxReplicas": "4"})
    release.upgrade({"autoscaling.enabled": "true", "autoscaling.minReplicas": "1", "autoscaling.maxReplicas": "5"})
    release.upgrade({})
    assert {pod.uid for pod in cluster.ready(release.namespace)} == running
    said = release.try_upgrade({"replicas": "4"})
    assert f"scale deployment {release.gateway} --replicas=4" in said.err, said
    cluster.scale(release.namespace, release.gateway, release.config.replicas)
    cluster.wait_ready(release.namespace, release.config.replicas)


def test_callers_of_a_full_pod_find_the_free_one(
    installing: Installing, cluster: Cluster, config: ClusterConfig
) -> None:
    with installing("scripted", "full", {"replicas": "2", "config.gateway.maxSessions": "3"}) as release:
        cluster.wait_ready(release.namespace, 2)
        six = calls(release.address(), count=6, hold_s=12)
        outcomes = start(cluster, release.namespace, "six", config.image("client"), six).outcomes(within_s=90)
    assert tally(outcomes) == {"normal": 6}, outcomes


def _two_pods(release: Release, cluster: Cluster) -> None:
    cluster.scale(release.namespace, release.gateway, 2)
    until(lambda: cluster.pods(release.namespace), is_so=lambda pods: not any(pod.leaving for pod in pods), within_s=60)
    cluster.wait_ready(release.namespace, 2)


@pytest.mark.parametrize("backend", ["speech", "llm"])
def test_a_dead_backend_is_said_by_pods_that_stay_ready_and_heals(
    release: Release, cluster: Cluster, figures: Figures, backend: str
) -> None:
    program = {"speech": "speech-server", "llm": "mini-llm"}[backend]
    until(lambda: cluster.pods(release.namespace), is_so=lambda pods: not any(pod.leaving for pod in pods), within_s=60)
    cluster.wait_ready(release.namespace, release.config.replicas)
    running = {pod.uid for pod in cluster.ready(release.namespace)}
    began = time.monotonic()
    cluster.scale(release.namespace, f"{release.name}-{backend}", 0)
    for pod in cluster.pods(release.namespace, program):
        stop = ["kubectl", "-n", release.namespace, "delete", "pod", pod.name, "--now", "--ignore-not-found"]
        run(stop, timeout_s=30)

    def gateways() -> list[Pod]:
        return cluster.pods(release.namespace)

    def reasons() -> list[object]:
        return [cluster.readiness(release.namespace, pod.name)["reasons"] for pod in gateways()]

    until(reasons, is_so=all, within_s=60, every_s=0.2)
    off_s = time.monotonic() - began
    assert all(pod.ready for pod in gateways()), "without ready pods nobody could tell callers"
    cluster.scale(release.namespace, f"{release.name}-{backend}", 1)
    on_s = until(reasons, is_so=lambda reasons: not any(reasons), within_s=60)
    figures.say(f"{backend} gone to gateway not ready, s", off_s)
    figures.say(f"{backend} ordered again to gateway ready, s", on_s)
    assert {pod.uid for pod in gateways()} == running, "a backend that is away must not restart the gateway"
