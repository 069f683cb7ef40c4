"""Are the pods reached by those who may, and by nobody else? Needs a network that enforces NetworkPolicies."""

import json

import pytest

from e2e.conftest import Installing
from e2e.support.callers import start
from e2e.support.cluster import Cluster
from e2e.support.config import ROOT
from e2e.support.release import Release
from e2e.support.shell import run

REACH = (ROOT / "e2e" / "programs" / "reach.py").read_text(encoding="utf-8")
API_SERVER = "kubernetes.default.svc:443"


def from_a_stranger(cluster: Cluster, release: Release, *addresses: str) -> list[bool]:
    """Which of them a pod that belongs to nobody reaches."""
    command = ["python", "/programs/reach.py", *addresses]
    asking = start(
        cluster,
        release.namespace,
        f"stranger-{addresses[0].partition(':')[0]}",
        release.config.image("client"),
        command,
    )
    asking.outcomes(within_s=60)
    found = json.loads(asking.text())
    return [found[address] for address in addresses]


def from_within(release: Release, deployment: str, *addresses: str) -> list[bool]:
    """Which of them a pod of the release reaches."""
    order = ["kubectl", "-n", release.namespace, "exec", f"deployment/{release.name}-{deployment}", "--"]
    found = json.loads(run([*order, "python", "-c", REACH, *addresses], timeout_s=60))
    return [found[address] for address in addresses]


@pytest.mark.policies
def test_every_pod_is_reached_by_those_who_may_alone(installing: Installing, cluster: Cluster) -> None:
    with installing("scripted", "policies") as release:
        name = release.name
        calls, page, health = (f"{name}-gateway-headless:{port}" for port in (50050, 8090, 8080))
        speech, audio, model = f"{name}-speech:50051", f"{name}-speech:8001", f"{name}-llm:8000"

        assert from_a_stranger(cluster, release, calls, page, health) == [True, True, True]
        assert from_a_stranger(cluster, release, speech, audio, model) == [False, False, False]
        assert from_within(release, "gateway", speech, model, audio, API_SERVER) == [True, True, False, False]
        assert from_within(release, "speech", model, calls, API_SERVER) == [False, False, False]
        assert from_within(release, "llm", speech, calls, API_SERVER) == [False, False, False]
        assert "Succeeded" in release.test()
