"""A release on the fake API server, and the command run against it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from voicectl.cli import app
from voicectl.executor import Polling

from .fake_api import APPS, CORE, NAMESPACE, ROUTES, WEB_ROUTES, FakeApi, Json

STABLE, CANARY, ROUTE = f"{APPS}/vw-gateway", f"{APPS}/vw-gateway-canary", f"{ROUTES}/vw-gateway"
WEB_ROUTE = f"{WEB_ROUTES}/vw-gateway-web"
LIVE = "LLM_TEMPERATURE: 0.5\n"

Run = Callable[..., Result]


@dataclass
class Clock:
    """Resting moves it; nothing else does."""

    now_s: float = 0.0
    rests: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s
        self.rests.append(duration_s)


def deployment(track: str, replicas: int, release: str = "vw", image: str = "reg/gateway:1") -> Json:
    """As the chart renders it."""
    labels = {
        "app.kubernetes.io/name": "voice-gateway",
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/part-of": "voice-workflow",
    }
    gateway = {"name": "gateway", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}
    return {
        "metadata": {"labels": labels},
        "spec": {
            "replicas": replicas,
            "template": {
                "metadata": {"labels": {**labels, "voice-workflow/track": track}},
                "spec": {"containers": [gateway, {"name": "sidecar", "image": "reg/side:1"}]},
            },
        },
    }


def route(canary: int = 0) -> Json:
    """As the chart renders it."""
    backends = [
        {"name": "vw-gateway-stable", "port": 50050, "weight": 100 - canary},
        {"name": "vw-gateway-canary", "port": 50050, "weight": canary},
    ]
    return {"spec": {"rules": [{"backendRefs": backends}]}}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A release `vw` with three stable pods and no route."""
    with FakeApi() as fake:
        fake.put(STABLE, deployment("stable", 3))
        fake.put(CANARY, deployment("canary", 0))
        fake.put(f"{CORE}/configmaps/vw-gateway-live", {"data": {"live.yaml": LIVE}})
        fake.settle()
        yield fake


@pytest.fixture
def routed(api: FakeApi) -> FakeApi:
    """The same with a GRPCRoute."""
    api.put(ROUTE, route())
    api.settle()
    return api


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def voicectl(api: FakeApi, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command against the fake, with time that moves only while it rests."""
    use(api.url, tmp_path, monkeypatch)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, obj=Polling(0.5, clock.now, clock.sleep))

    return run


def use(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes a kubeconfig for this API server and makes it the one."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "here", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here", "namespace": NAMESPACE}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(path))
