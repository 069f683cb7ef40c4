"""Which pods do the tests bring along? Programs of e2e/programs in our own images, as restricted as the chart's."""

from collections.abc import Sequence
from typing import Any

from kubernetes import client

from e2e.support.cluster import Cluster
from e2e.support.config import ROOT

PROGRAMS = ROOT / "e2e" / "programs"
CONFIG_MAP = "e2e-programs"


def put_programs(cluster: Cluster, namespace: str) -> None:
    """Makes e2e/programs a ConfigMap of the namespace."""
    data = {path.name: path.read_text(encoding="utf-8") for path in sorted(PROGRAMS.glob("*.py"))}
    meta = client.V1ObjectMeta(name=CONFIG_MAP)
    cluster.core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta, data=data))


def pod_spec(image: str, command: Sequence[str], *, stays: bool) -> dict[str, Any]:
    """A pod of one container; `stays` = it serves on port 8000 and is started again when it ends."""
    container: dict[str, Any] = {
        "name": "program",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "programs", "mountPath": "/programs"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
    if stays:
        container["readinessProbe"] = {"httpGet": {"path": "/v1/health/ready", "port": 8000}, "periodSeconds": 1}
    return {
        "restartPolicy": "Always" if stays else "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "programs", "configMap": {"name": CONFIG_MAP}}, {"name": "tmp", "emptyDir": {}}],
    }


def serve(cluster: Cluster, namespace: str, name: str, image: str, program: str) -> str:
    """Runs a program that serves on port 8000, with a Service; gives its host:port."""
    labels = {"app.kubernetes.io/name": name}
    spec = pod_spec(image, ["python", f"/programs/{program}"], stays=True)
    meta = {"name": name, "labels": labels}
    cluster.core.create_namespaced_pod(namespace, {"metadata": meta, "spec": spec})
    service = {"metadata": {"name": name}, "spec": {"selector": labels, "ports": [{"port": 8000}]}}
    cluster.core.create_namespaced_service(namespace, service)
    cluster.wait_ready(namespace, 1, name=name)
    return f"{name}.{namespace}.svc:8000"
