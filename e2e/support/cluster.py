"""What does the cluster hold? A thin shell over the Kubernetes client, in the words the tests use."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from e2e.support.poll import until

ENFORCE = "pod-security.kubernetes.io/enforce"
RESTRICTED = {ENFORCE: "restricted", f"{ENFORCE}-version": "latest"}
HTTP_PORT = 8080


@dataclass(frozen=True, slots=True)
class Pod:
    """What the tests need to know of a pod."""

    name: str
    uid: str
    track: str
    ready: bool
    leaving: bool
    """Deleted, and not gone yet."""
    node: str
    ip: str


class Cluster:
    """The cluster of the KUBECONFIG."""

    def __init__(self) -> None:
        # Any: what goes in and out is as the API has it; the types of the client know its own objects only.
        load: Any = config.load_kube_config
        load()
        self.core: Any = client.CoreV1Api()
        self.apps: Any = client.AppsV1Api()
        self.objects: Any = client.CustomObjectsApi()
        self.batch: Any = client.BatchV1Api()
        self.policy: Any = client.PolicyV1Api()
        self.networking: Any = client.NetworkingV1Api()
        self.storage: Any = client.StorageV1Api()

    @contextmanager
    def namespace(self, purpose: str, labels: Mapping[str, str] = RESTRICTED) -> Iterator[str]:
        """A namespace that admits restricted pods only, unless `labels` say otherwise; deleted at the end."""
        name = f"e2e-{purpose}-{secrets.token_hex(2)}"
        self.core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name, labels=dict(labels))))
        try:
            yield name
        finally:
            # Nobody talks any more: pods with calls need no grace.
            for pod in self.core.list_namespaced_pod(name).items:
                self._forget(name, pod.metadata.name)
            self.core.delete_namespace(name)

    def _forget(self, namespace: str, pod: str) -> None:
        try:
            self.core.delete_namespaced_pod(pod, namespace, grace_period_seconds=0)
        except ApiException as error:
            if error.status != 404:
                raise

    def pods(self, namespace: str, name: str = "voice-gateway") -> list[Pod]:
        """Pods of one of the chart's programs (app.kubernetes.io/name), those on their way out too."""
        found = self.core.list_namespaced_pod(namespace, label_selector=f"app.kubernetes.io/name={name}")
        return [_pod(item) for item in found.items]

    def ready(self, namespace: str, name: str = "voice-gateway") -> list[Pod]:
        """Those that take calls."""
        return [pod for pod in self.pods(namespace, name) if pod.ready and not pod.leaving]

    def wait_ready(self, namespace: str, count: int, *, within_s: float = 120, name: str = "voice-gateway") -> float:
        """Until exactly `count` pods are ready and no other stays; seconds it took."""

        def settled(pods: list[Pod]) -> bool:
            staying = [pod for pod in pods if not pod.leaving]
            return len(staying) == count and all(pod.ready for pod in staying)

        return until(lambda: self.pods(namespace, name), is_so=settled, within_s=within_s)

    def ask(self, namespace: str, pod: str, path: str, port: int = HTTP_PORT) -> tuple[int, str]:
        """HTTP status and body of a pod's own answer, by the API server's proxy."""
        try:
            answer = self.core.connect_get_namespaced_pod_proxy_with_path(
                f"{pod}:{port}", namespace, path, _preload_content=False
            )
        except ApiException as error:
            return int(error.status or 0), str(error.body or error.reason)
        return int(answer.status), answer.data.decode()

    def readiness(self, namespace: str, pod: str) -> dict[str, Any]:
        """The body of /readyz; empty while nobody answers."""
        _, body = self.ask(namespace, pod, "readyz")
        try:
            found: dict[str, Any] = json.loads(body)
        except ValueError:
            return {}
        return found if "reasons" in found else {}

    def metric(self, namespace: str, pod: str, name: str) -> float:
        """The sum of a metric's series in one pod; 0 while there is none."""
        _, body = self.ask(namespace, pod, "metrics")
        lines = [line for line in body.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def scale(self, namespace: str, deployment: str, replicas: int) -> None:
        """Sets the replicas of a Deployment."""
        self.apps.patch_namespaced_deployment_scale(deployment, namespace, {"spec": {"replicas": replicas}})

    def evict(self, namespace: str, pod: str) -> int:
        """HTTP status of an eviction: 201, or 429 when a PodDisruptionBudget says no."""
        order = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod, namespace=namespace))
        try:
            self.core.create_namespaced_pod_eviction(pod, namespace, order)
        except ApiException as error:
            return int(error.status or 0)
        return 201

    def weights(self, namespace: str, route: str) -> dict[str, int]:
        """Weight by Service of a GRPCRoute's first rule."""
        found = self.objects.get_namespaced_custom_object(
            "gateway.networking.k8s.io", "v1", namespace, "grpcroutes", route
        )
        return {ref["name"]: int(ref.get("weight", 1)) for ref in found["spec"]["rules"][0]["backendRefs"]}

    def gateway_address(self, gateway: str) -> str:
        """host:port of a Gateway's first listener ("namespace/name"). Raises AssertionError when it has none."""
        namespace, name = gateway.split("/")
        found = self.objects.get_namespaced_custom_object(
            "gateway.networking.k8s.io", "v1", namespace, "gateways", name
        )
        addresses = found.get("status", {}).get("addresses", [])
        assert addresses, f"Gateway {gateway} tells no address: name host:port of its listener with E2E_GATEWAY_ADDRESS"
        return f"{addresses[0]['value']}:{found['spec']['listeners'][0]['port']}"

    def live_key(self, namespace: str, deployment: str) -> str:
        """The name of the live file that the Deployment's pods read."""
        containers = self.apps.read_namespaced_deployment(deployment, namespace).spec.template.spec.containers
        (path,) = [one.value for one in containers[0].env if one.name == "GATEWAY_LIVE_FILE"]
        return str(path).rpartition("/")[2]

    def live_config(self, namespace: str, name: str) -> dict[str, str]:
        """Data of a ConfigMap."""
        found: Mapping[str, str] = self.core.read_namespaced_config_map(name, namespace).data or {}
        return dict(found)


def _pod(item: Any) -> Pod:
    conditions = {one.type: one.status for one in item.status.conditions or []}
    return Pod(
        name=item.metadata.name,
        uid=item.metadata.uid,
        track=(item.metadata.labels or {}).get("voice-workflow/track", ""),
        ready=conditions.get("Ready") == "True",
        leaving=item.metadata.deletion_timestamp is not None,
        node=item.spec.node_name or "",
        ip=item.status.pod_ip or "",
    )
