"""Does the system stay up when pods are taken away? Evictions, node drains, backends that die."""

import time
from collections.abc import Iterator

import pytest

from e2e.conftest import Installing
from e2e.support.cluster import Cluster, Pod
from e2e.support.figures import Figures
from e2e.support.release import Release
from e2e.support.shell import attempt, run
from e2e.support.waiting import until


@pytest.fixture(scope="module")
def release(installing: Installing) -> Iterator[Release]:
    settings = {"config.gateway.downAfterS": "2", "config.gateway.probeEveryS": "0.5", "drain.seconds": "2"}
    with installing("scripted", "disrupt", settings) as release:
        yield release


def test_the_last_ready_pod_is_not_evicted(release: Release, cluster: Cluster) -> None:
    *others, last = cluster.ready(release.namespace)
    assert [cluster.evict(release.namespace, pod.name) for pod in others] == [201] * len(others)
    assert cluster.evict(release.namespace, last.name) == 429
    cluster.wait_ready(release.namespace, release.wanted.replicas)


def test_a_node_drain_waits_for_the_last_ready_pod(release: Release, cluster: Cluster) -> None:
    cluster.scale(release.namespace, release.gateway, 1)
    cluster.wait_ready(release.namespace, 1)
    (last,) = cluster.ready(release.namespace)
    selector = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/name=voice-gateway"
    order = ["kubectl", "drain", last.node, "--pod-selector", selector, "--ignore-daemonsets"]
    order += ["--delete-emptydir-data", "--timeout=6s"]
    try:
        said = attempt(order, timeout_s=30)
    finally:
        run(["kubectl", "uncordon", last.node], timeout_s=30)
        cluster.scale(release.namespace, release.gateway, release.wanted.replicas)
    assert said.status, said.out
    assert "disruption budget" in said.err, said.err
    assert last.uid in {pod.uid for pod in cluster.ready(release.namespace)}
    cluster.wait_ready(release.namespace, release.wanted.replicas)


@pytest.mark.parametrize("backend", ["speech", "llm"])
def test_a_dead_backend_is_said_by_pods_that_stay_ready_and_heals(
    release: Release, cluster: Cluster, figures: Figures, backend: str
) -> None:
    program = {"speech": "speech-server", "llm": "mini-llm"}[backend]
    until(lambda: cluster.pods(release.namespace), is_so=lambda pods: not any(pod.leaving for pod in pods), within_s=60)
    cluster.wait_ready(release.namespace, release.wanted.replicas)
    running = {pod.uid for pod in cluster.ready(release.namespace)}
    began = time.monotonic()
    cluster.scale(release.namespace, f"{release.name}-{backend}", 0)
    for pod in cluster.pods(release.namespace, program):
        run(["kubectl", "-n", release.namespace, "delete", "pod", pod.name, "--now"], timeout_s=30)

    def gateways() -> list[Pod]:
        return cluster.pods(release.namespace)

    def reasons() -> list[object]:
        return [cluster.readiness(release.namespace, pod.name)["reasons"] for pod in gateways()]

    until(reasons, is_so=all, within_s=60, every_s=0.2)
    off_s = time.monotonic() - began
    assert all(pod.ready for pod in gateways()), "without ready pods nobody could tell callers"
    cluster.scale(release.namespace, f"{release.name}-{backend}", 1)
    on_s = until(reasons, is_so=lambda told: not any(told), within_s=60)
    figures.say(f"{backend} gone to gateway not ready, s", off_s)
    figures.say(f"{backend} ordered again to gateway ready, s", on_s)
    assert {pod.uid for pod in gateways()} == running, "a backend that is away must not restart the gateway"
