"""What is asked of the API server? Eight requests, as plain JSON objects; nothing is decided here."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from voicectl.cluster.errors import of_status, translated_errors
from voicectl.errors import NoCluster
from voicectl.interfaces import RawResponse
from voicectl.names import FIELD_MANAGER

Json = dict[str, Any]

REQUEST_S = 15.0
"""Deadline of one request to the API server."""
PROXY_S = 3.0
"""Deadline of one request to a pod through the API server."""

KUBECONFIG = "~/.kube/config"
"""Where the kubeconfig lies, unless the variable KUBECONFIG says otherwise."""

_STRATEGIC = "application/strategic-merge-patch+json"
_MERGE = "application/merge-patch+json"
_GATEWAY_API = {"group": "gateway.networking.k8s.io", "version": "v1"}
RouteKind = Literal["GRPCRoute", "HTTPRoute"]
_IN_CLUSTER_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One namespace of one cluster. Every failure is a VoicectlError."""

    namespace: str
    api: client.ApiClient

    @property
    def server(self) -> str:
        return str(self.api.configuration.host)

    def deployments(self, selector: str) -> list[Json]:
        return self._list("the Deployments", client.AppsV1Api(self.api).list_namespaced_deployment, selector)

    def deployment(self, name: str) -> Json:
        return self._ask(f"read the Deployment {name}", client.AppsV1Api(self.api).read_namespaced_deployment, name)

    def patch_deployment(self, name: str, patch: Json) -> Json:
        """A strategic merge patch, except for managedFields, which only a merge patch replaces whole."""
        kind = _MERGE if "managedFields" in patch.get("metadata", {}) else _STRATEGIC
        request = client.AppsV1Api(self.api).patch_namespaced_deployment
        options = {"body": patch, "field_manager": FIELD_MANAGER, "_content_type": kind}
        return self._ask(f"change the Deployment {name}", request, name, **options)

    def route(self, name: str, kind: RouteKind = "GRPCRoute") -> Json:
        request = client.CustomObjectsApi(self.api).get_namespaced_custom_object
        return self._ask(f"read the {kind} {name}", request, **_GATEWAY_API, plural=f"{kind.lower()}s", name=name)

    def patch_route(self, name: str, patch: Json, kind: RouteKind = "GRPCRoute") -> Json:
        request = client.CustomObjectsApi(self.api).patch_namespaced_custom_object
        options = {"body": patch, "field_manager": FIELD_MANAGER, "_content_type": _MERGE, "plural": f"{kind.lower()}s"}
        return self._ask(f"change the {kind} {name}", request, **_GATEWAY_API, name=name, **options)

    def pods(self, selector: str) -> list[Json]:
        return self._list("the pods", client.CoreV1Api(self.api).list_namespaced_pod, selector)

    def events(self) -> list[Json]:
        """Warnings only."""
        request = client.CoreV1Api(self.api).list_namespaced_event
        return cast(list[Json], self._ask("list the events", request, field_selector="type=Warning")["items"])

    def config_map(self, name: str) -> Json:
        return self._ask(f"read the ConfigMap {name}", client.CoreV1Api(self.api).read_namespaced_config_map, name)

    def _list(self, what: str, request: Callable[..., object], selector: str) -> list[Json]:
        return cast(list[Json], self._ask(f"list {what}", request, label_selector=selector)["items"])

    def _ask(self, what: str, request: Callable[..., object], *names: str, **options: Any) -> Json:
        """The parsed body of a request in this namespace; `what` says in an error what could not be done."""
        with translated_errors(f"{what} in namespace {self.namespace}", self.server):
            raw = {"_preload_content": False, "_request_timeout": REQUEST_S}
            answer = request(*names, namespace=self.namespace, **options, **raw)
            return cast(Json, json.loads(cast(RawResponse, answer).data))

    def from_pod(self, pod: str, port: int, path: str) -> str:
        """The body of a GET from the pod, through the API server.

        503 counts as an answer: /readyz says it while not ready.
        """
        what = f"ask pod {pod} for /{path} through the API server"
        with translated_errors(what, self.server):
            try:
                answer = client.CoreV1Api(self.api).connect_get_namespaced_pod_proxy_with_path(
                    f"{pod}:{port}", self.namespace, path, _preload_content=False, _request_timeout=PROXY_S
                )
                return cast(RawResponse, answer).data.decode(errors="replace")
            except ApiException as error:
                if error.status == 503 and not _from_the_api_server(error.body):
                    return error.body or ""
                raise of_status(error, what) from None


def connect(namespace: str | None, context: str | None) -> Cluster:
    """The cluster of KUBECONFIG and `context`, or the one this process runs in. Nothing is asked of it yet.

    Without `namespace`: the context's, else `default`.
    """
    settings = client.Configuration()
    settings.retries = 0
    with translated_errors("read the Kubernetes configuration", settings.host or ""):
        location = os.environ.get("KUBECONFIG") or KUBECONFIG
        paths = location.split(os.pathsep)
        if any(Path(path).expanduser().exists() for path in paths if path):
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=location, context=context, client_configuration=settings, persist_config=False
            )
            found = _namespace_of(location, context)
        elif os.environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
            found = _IN_CLUSTER_NAMESPACE.read_text(encoding="utf-8").strip()
        else:
            raise NoCluster(
                "no cluster is configured: set KUBECONFIG to a kubeconfig file, or make "
                f"{KUBECONFIG} (kind, k3d and cloud tools write it)"
            )
    return Cluster(namespace or found or "default", client.ApiClient(settings))


def _namespace_of(location: str, context: str | None) -> str:
    contexts, active = config.list_kube_config_contexts(location)  # type: ignore[no-untyped-call]
    chosen: Mapping[str, Any] = next((each for each in contexts if each["name"] == context), active)
    return str(chosen["context"].get("namespace") or "")


def _from_the_api_server(body: str | None) -> bool:
    try:
        return bool(json.loads(body or "")["kind"] == "Status")
    except (ValueError, KeyError, TypeError):
        return False
