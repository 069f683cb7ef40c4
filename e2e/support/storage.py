"""Where do files lie that outlive a pod? In a claim: of the cluster's storage class, else of a folder on a node."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kubernetes.client.exceptions import ApiException

from e2e.support.cluster import Cluster
from e2e.support.config import ClusterConfig
from e2e.support.poll import until

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_SIZE = "64Mi"
_FOLDERS = "/var/tmp"
"""On the node, of a cluster without storage classes: a lab's."""


@contextmanager
def claim(cluster: Cluster, namespace: str, name: str, config: ClusterConfig) -> Iterator[None]:
    """A PersistentVolumeClaim that user 10001 may write to; gone at the end, with what it held."""
    if config.storage_class or _has_default_class(cluster):
        _make_claim(
            cluster, namespace, name, {"storageClassName": config.storage_class} if config.storage_class else {}
        )
        yield
        return
    node = cluster.core.list_node().items[0].metadata.name
    with cluster.namespace("node", labels={}) as anything_goes:
        folder = f"{_FOLDERS}/{anything_goes}"
        _on_node(cluster, anything_goes, node, config, "make", f"mkdir {folder} && chown 10001:10001 {folder}")
        volume = _volume(anything_goes, folder, node, {"namespace": namespace, "name": name})
        cluster.core.create_persistent_volume(volume)
        try:
            _make_claim(cluster, namespace, name, {"storageClassName": "", "volumeName": anything_goes})
            yield
        finally:
            cluster.core.delete_persistent_volume(anything_goes)
            _on_node(cluster, anything_goes, node, config, "remove", f"rm -rf {folder}")


def _has_default_class(cluster: Cluster) -> bool:
    found = cluster.storage.list_storage_class().items
    return any((one.metadata.annotations or {}).get(_DEFAULT) == "true" for one in found)


def _make_claim(cluster: Cluster, namespace: str, name: str, more: dict[str, str]) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": _SIZE}}, **more}
    cluster.core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": name}, "spec": spec})


def _volume(name: str, folder: str, node: str, claimed_by: dict[str, str]) -> dict[str, Any]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    spec = {
        "capacity": {"storage": _SIZE},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "hostPath": {"path": folder, "type": "Directory"},
        "claimRef": claimed_by,
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
    }
    return {"metadata": {"name": name}, "spec": spec}


def _on_node(cluster: Cluster, namespace: str, node: str, config: ClusterConfig, name: str, command: str) -> None:
    """Runs a command as root beside the node's folders."""
    container = {
        "name": "program",
        "image": config.image("client"),
        "command": ["sh", "-c", command],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "folders", "mountPath": _FOLDERS}],
    }
    spec = {
        "nodeName": node,
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "folders", "hostPath": {"path": _FOLDERS, "type": "Directory"}}],
    }
    cluster.core.create_namespaced_pod(namespace, {"metadata": {"name": name}, "spec": spec})

    def phase() -> str:
        try:
            return str(cluster.core.read_namespaced_pod(name, namespace).status.phase)
        except ApiException as error:
            return f"{error.status}"

    until(phase, is_so=lambda seen: seen in {"Succeeded", "Failed"}, within_s=60)
    assert phase() == "Succeeded", f"{command} failed on {node}"
