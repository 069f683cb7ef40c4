"""Does one `helm install` bring a system that hears and answers?"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from voice_client import Call, ReplyAudio, connect

from e2e.conftest import Installing
from e2e.support.callers import start
from e2e.support.cluster import RESTRICTED, Cluster
from e2e.support.config import ClusterConfig
from e2e.support.figures import Figures
from e2e.support.pods import put_programs
from e2e.support.poll import until
from e2e.support.port_forward import port_forward
from e2e.support.release import Release
from e2e.support.shell import run

VOICE = str(Path(sys.executable).with_name("voice"))


@pytest.fixture(scope="module")
def release(cluster: Cluster, config: ClusterConfig, figures: Figures) -> Iterator[Release]:
    """Installed with the embedded engines; the time to its first spoken reply is measured on the way."""
    with cluster.namespace("install") as namespace:
        put_programs(cluster, namespace)
        release = Release(namespace, "embedded", config, {"replicas": str(config.replicas)})
        began = time.monotonic()
        release.install(wait=False)
        figures.say("helm install without waiting, s", time.monotonic() - began)
        cluster.wait_ready(namespace, config.replicas, within_s=180)
        figures.say("helm install to all gateway pods ready, s", time.monotonic() - began)
        yield release


async def test_a_spoken_reply_comes_after_helm_install(release: Release, figures: Figures) -> None:
    began = time.monotonic()
    with port_forward(release.namespace, f"svc/{release.gateway}", 50050) as target:
        async with connect(target) as call:
            await call.say("hello")
            heard_s = await _first_audio(call)
    so_far = float(figures.found["helm install to all gateway pods ready, s"])
    figures.say("helm install to first spoken reply, s", so_far + time.monotonic() - began)
    assert heard_s > 0


async def _first_audio(call: Call) -> float:
    async for event in call:
        if isinstance(event, ReplyAudio):
            return len(event.pcm16) / 2 / call.started.output.rate_hz
    raise AssertionError("the call ended without reply audio")


def test_helm_test_holds_a_spoken_round_trip(release: Release, figures: Figures) -> None:
    with figures.timed("helm test, s"):
        said = release.test()
    assert "Succeeded" in said, said


def test_a_spoken_round_trip_through_port_forward(release: Release, figures: Figures) -> None:
    with port_forward(release.namespace, f"svc/{release.gateway}", 50050) as target, figures.timed("voice check, s"):
        host, port = target.split(":")
        run([VOICE, "check", "--host", host, "--port", port], timeout_s=60)


def test_a_spoken_round_trip_through_the_service(release: Release, cluster: Cluster, config: ClusterConfig) -> None:
    host, port = release.address().split(":")
    command = ["voice", "check", "--host", host, "--port", port, "--json"]
    checking = start(cluster, release.namespace, "check", config.image("client"), command)
    checking.outcomes(within_s=90)
    assert checking.succeeded(), checking.text()


def test_all_pods_are_admitted_where_restricted_is_enforced(release: Release, cluster: Cluster) -> None:
    labels = cluster.core.read_namespace(release.namespace).metadata.labels
    assert labels.items() >= RESTRICTED.items()
    for name in ("voice-gateway", "speech-server", "mini-llm"):
        assert cluster.ready(release.namespace, name), f"no {name} pod is ready"


def test_network_policies_are_there(release: Release, cluster: Cluster) -> None:
    found = cluster.networking.list_namespaced_network_policy(release.namespace).items
    assert release.gateway in {policy.metadata.name for policy in found}


def test_uninstall_leaves_nothing_behind(installing: Installing, cluster: Cluster, figures: Figures) -> None:
    with installing("scripted", "uninstall", {"networkPolicy.enabled": "true"}) as release:
        before = _objects(cluster, release)
        assert before
        began = time.monotonic()
        release.uninstall()
        until(lambda: _objects(cluster, release), is_so=lambda left: not left, within_s=90)
        figures.say("helm uninstall to nothing left, s", time.monotonic() - began)


def _objects(cluster: Cluster, release: Release) -> set[str]:
    """Everything in the namespace that belongs to the release, of every kind the cluster knows."""
    kinds = run(["kubectl", "api-resources", "--namespaced", "--verbs=list", "-o", "name"], timeout_s=30).split()
    listed = ",".join(kind for kind in kinds if not kind.startswith(("events", "pods.metrics")))
    selector = f"app.kubernetes.io/instance={release.name}"
    order = ["kubectl", "-n", release.namespace, "get", listed, "-l", selector, "-o", "name", "--ignore-not-found"]
    secrets = {f"secret/{one.metadata.name}" for one in cluster.core.list_namespaced_secret(release.namespace).items}
    return set(run(order, timeout_s=60).split()) | secrets
