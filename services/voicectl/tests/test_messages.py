"""Does every failure end with a sentence that says what to do?"""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner
from voicectl.cli import app

from .conftest import CANARY, ROUTE, STABLE, Run, deployment, use
from .fake_api import APPS, FakeApi


def test_no_kubeconfig_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    done = CliRunner().invoke(app, ["status"])
    assert (done.exit_code, "no cluster is configured: set KUBECONFIG" in done.stderr) == (3, True)


def test_a_dead_api_server_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    use(f"http://127.0.0.1:{port}", tmp_path, monkeypatch)
    done = CliRunner().invoke(app, ["status"])
    assert (done.exit_code, f"http://127.0.0.1:{port} does not answer" in done.stderr) == (3, True)


def test_an_unknown_context_is_a_sentence(api: FakeApi, voicectl: Run) -> None:
    done = voicectl("--context", "mars", "status")
    assert (done.exit_code, "mars" in done.stderr, "Traceback" in done.stderr) == (3, True, False)


def test_an_unknown_release_says_where_to_look(api: FakeApi, voicectl: Run) -> None:
    done = voicectl("--release", "other", "status")
    assert (done.exit_code, "no release other" in done.stderr, "helm list" in done.stderr) == (1, True, True)


def test_an_empty_namespace_says_so(api: FakeApi, voicectl: Run) -> None:
    api.objects.clear()
    done = voicectl("canary", "rollback")
    assert (done.exit_code, "namespace voice has no release" in done.stderr) == (1, True)


def test_of_several_releases_one_must_be_named(api: FakeApi, voicectl: Run) -> None:
    api.put(f"{APPS}/xx-gateway", deployment("stable", 1, release="xx"))
    done = voicectl("status")
    assert (done.exit_code, "--release (vw, xx)" in done.stderr) == (1, True)
    assert voicectl("--release", "vw", "status").exit_code == 0


def test_a_release_without_canary_says_which_value_brings_it(api: FakeApi, voicectl: Run) -> None:
    del api.objects[CANARY]
    done = voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "10")
    assert (done.exit_code, "--set canary.enabled=true" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("method", "kind", "words"),
    [
        ("PATCH", "deployments", "you may not change the Deployment vw-gateway-canary in namespace voice"),
        ("PATCH", "grpcroutes", "you may not change the GRPCRoute vw-gateway"),
        ("GET", "grpcroutes", "you may not read the GRPCRoute vw-gateway"),
        ("GET", "deployments", "you may not list the Deployments"),
        ("GET", "pods", "you may not list the pods"),
    ],
)
def test_a_missing_right_is_named(routed: FakeApi, voicectl: Run, method: str, kind: str, words: str) -> None:
    routed.forbidden.add((method, kind))
    done = voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "10")
    assert (done.exit_code, words in done.stderr, "docs/canary.md" in done.stderr) == (1, True, True)


def test_a_route_without_our_backends_is_not_weighed(routed: FakeApi, voicectl: Run) -> None:
    routed.objects[ROUTE]["spec"]["rules"] = [{"backendRefs": [{"name": "elsewhere", "port": 1}]}]
    done = voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "10")
    assert (done.exit_code, "no rule with the backends" in done.stderr, routed.patches) == (1, True, [])


def test_a_stable_without_ready_pods_gets_no_canary(api: FakeApi, voicectl: Run) -> None:
    api.objects[STABLE]["spec"]["replicas"] = 0
    api.settle()
    done = voicectl("canary", "start", "--image", "reg/gateway:2", "--weight", "10")
    assert (done.exit_code, "has no ready pod" in done.stderr, api.patches) == (1, True, [])
