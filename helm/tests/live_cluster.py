"""What does the chart see of a cluster? An API server that serves discovery and the objects of a test, nothing else."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_RESOURCES = {
    "/api/v1": {
        "configmaps": "ConfigMap",
        "pods": "Pod",
        "services": "Service",
        "serviceaccounts": "ServiceAccount",
    },
    "/apis/apps/v1": {"deployments": "Deployment", "replicasets": "ReplicaSet"},
    "/apis/policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
    "/apis/networking.k8s.io/v1": {"networkpolicies": "NetworkPolicy"},
    "/apis/autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
}


def _group(path: str) -> Any:
    name, version = path.split("/")[2:]
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [served], "preferredVersion": served}


_LISTS: dict[str, dict[str, Any]] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(path) for path in _RESOURCES if path.startswith("/apis/")],
    },
    "/version": {"major": "1", "minor": "35", "gitVersion": "v1.35.0"},
}


@contextmanager
def serving(objects: dict[str, Any], folder: Path) -> Iterator[Path]:
    """A kubeconfig for a cluster that holds these objects, by their path below /api/v1 or /apis/apps/v1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = _answer(self.path.partition("?")[0], objects)
            body = json.dumps(found).encode()
            self.send_response(404 if found.get("kind") == "Status" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test reads the answer, not the log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="API server of a test")
        thread.start()
        try:
            yield _kubeconfig(f"http://127.0.0.1:{server.server_port}", folder)
        finally:
            server.shutdown()
            thread.join(timeout=10)


def _answer(path: str, objects: dict[str, Any]) -> dict[str, Any]:
    if path in _LISTS:
        return _LISTS[path]
    if path in _RESOURCES:
        group = path.removeprefix("/apis/").removeprefix("/api/")
        kinds = [
            {"name": name, "kind": kind, "namespaced": True, "verbs": ["get", "list"]}
            for name, kind in _RESOURCES[path].items()
        ]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": kinds}
    missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
    return dict(objects.get(path, missing))


def _kubeconfig(address: str, folder: Path) -> Path:
    path = folder / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": address}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
