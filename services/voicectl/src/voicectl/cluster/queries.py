"""How do the API server's JSON objects become the facts of `core.release_state`?"""

from collections.abc import Mapping
from typing import Any

from voicectl.cluster.api import Cluster, Json
from voicectl.core.not_ready_reasons import KubernetesWarning
from voicectl.core.release_state import DeploymentState, Pod, Release, Track, Weights
from voicectl.errors import NotFound, PermissionDenied, Refused
from voicectl.names import CONTAINER, GATEWAY, HTTP_PORT, LIVE_FILE, LIVE_KEY, PART_OF, TRACK_LABEL, Names

LAST_LINES = 3
"""Of what a program said before it ended."""


def find_release(cluster: Cluster, release: str | None) -> Names:
    """The release that was named, else the only one in the namespace."""
    if release is not None:
        return Names(release)
    there = cluster.deployments(f"app.kubernetes.io/part-of={PART_OF},app.kubernetes.io/name={GATEWAY}")
    releases = sorted({each["metadata"]["labels"].get("app.kubernetes.io/instance", "") for each in there} - {""})
    if len(releases) == 1:
        return Names(releases[0])
    if releases:
        raise Refused(
            f"namespace {cluster.namespace} holds several releases: name one with --release ({', '.join(releases)})"
        )
    raise NotFound(
        f"namespace {cluster.namespace} has no release of voice-workflow: name another --namespace, or install one "
        "with helm install"
    )


def read_release(cluster: Cluster, names: Names) -> Release:
    """Both Deployments and the route's weights, as they are now."""
    try:
        stable = deployed(cluster.deployment(names.stable))
    except NotFound:
        raise NotFound(
            f"namespace {cluster.namespace} holds no release {names.release} (no Deployment {names.stable}): name "
            "another --release or --namespace; helm list --all-namespaces shows what is installed"
        ) from None
    try:
        canary = deployed(cluster.deployment(names.canary))
    except NotFound:
        raise NotFound(
            f"release {names.release} has no canary Deployment {names.canary}: add it with "
            f"helm upgrade {names.release} CHART --reset-then-reuse-values --set canary.enabled=true"
        ) from None
    try:
        found = weights(cluster.route(names.route), names)
    except NotFound:
        found = None
    return Release(names, stable, canary, found)


def read_pods(cluster: Cluster, names: Names) -> list[Pod]:
    """The gateway's pods of both tracks, stable first."""
    pods = [pod(each) for each in cluster.pods(names.selector)]
    return sorted(pods, key=lambda each: (each.track is Track.CANARY, each.name))


def read_parts(cluster: Cluster, names: Names) -> dict[str, DeploymentState]:
    """Every Deployment of the release, by its name: the gateway's and those of its own backends."""
    return {each["metadata"]["name"]: deployed(each) for each in cluster.deployments(names.parts)}


def read_part_pods(cluster: Cluster, names: Names) -> list[Pod]:
    """The pods of all its parts."""
    return sorted((pod(each) for each in cluster.pods(names.parts)), key=lambda each: each.name)


def read_warnings(cluster: Cluster) -> list[KubernetesWarning]:
    """Kubernetes' warnings in the namespace; none where they may not be read."""
    try:
        found = cluster.events()
    except PermissionDenied:
        return []
    return [
        KubernetesWarning(
            about=each.get("involvedObject", {}).get("name", ""),
            reason=each.get("reason", ""),
            message=each.get("message", ""),
            at=each.get("lastTimestamp") or each.get("eventTime") or each["metadata"].get("creationTimestamp") or "",
        )
        for each in found
    ]


def deployed(found: Json) -> DeploymentState:
    """One Deployment."""
    metadata, spec, status = found["metadata"], found["spec"], found.get("status", {})
    return DeploymentState(
        image=_gateway(spec["template"]["spec"]["containers"])["image"],
        wanted=spec.get("replicas", 1),
        replicas=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        settled=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        stalled=_stalled(status.get("conditions", [])),
        refused=_refused(status.get("conditions", [])),
        annotations=metadata.get("annotations", {}),
    )


def weights(route: Json, names: Names) -> Weights:
    """Of the first rule that has both tracks' Services as backends; a backend without weight has 1 (Gateway API)."""
    for rule in route["spec"].get("rules", []):
        by_name = {backend["name"]: backend.get("weight", 1) for backend in rule.get("backendRefs", [])}
        if names.stable_service in by_name and names.canary_service in by_name:
            return Weights(by_name[names.stable_service], by_name[names.canary_service])
    raise Refused(
        f"the GRPCRoute {names.route} has no rule with the backends {names.stable_service} and {names.canary_service}, "
        "so weights can't be set: helm upgrade restores them"
    )


def gateway_has_read(route: Json) -> bool:
    """Every Gateway of the route has read its newest spec."""
    newest = route["metadata"].get("generation", 0)
    parents = route.get("status", {}).get("parents", [])
    return bool(parents) and all(
        any(condition.get("observedGeneration", 0) >= newest for condition in parent.get("conditions", []))
        for parent in parents
    )


def pod(found: Json) -> Pod:
    """One pod."""
    metadata, status = found["metadata"], found.get("status", {})
    container = _gateway(found["spec"]["containers"])
    reason, hindrance = _hindrance(status)
    return Pod(
        name=metadata["name"],
        track=Track(metadata["labels"].get(TRACK_LABEL, Track.STABLE)),
        image=container["image"],
        ready=any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", [])),
        ending="deletionTimestamp" in metadata,
        http_port=next((p["containerPort"] for p in container.get("ports", []) if p.get("name") == "http"), HTTP_PORT),
        hindrance=hindrance,
        reason=reason,
        restarts=sum(each.get("restartCount", 0) for each in status.get("containerStatuses", [])),
        live_key=_live_key(container),
    )


def _gateway(containers: list[Json]) -> Json:
    return next((each for each in containers if each["name"] == CONTAINER), containers[0])


def _live_key(container: Json) -> str:
    paths = [each.get("value", "") for each in container.get("env", []) if each["name"] == LIVE_FILE]
    return str(paths[0]).rpartition("/")[2] if paths else LIVE_KEY


def _stalled(conditions: list[Mapping[str, Any]]) -> str:
    for each in conditions:
        if each["type"] == "Progressing" and each["status"] == "False":
            return f"{each.get('reason', '')}: {each.get('message', '')}"
    return ""


def _refused(conditions: list[Mapping[str, Any]]) -> str:
    for each in conditions:
        if each["type"] == "ReplicaFailure" and each["status"] == "True":
            return _with_message(each)
    return ""


def _hindrance(status: Mapping[str, Any]) -> tuple[str, str]:
    """(bare reason, reason with message) of the first container that waits or ended, or of a pod that no node takes."""
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = container.get("state", {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return waiting["reason"], "; ".join(filter(None, (_with_message(waiting), _last_end(container))))
        if not container.get("ready", True) and (ended := _last_end(container)):
            return "", f"not ready; {ended}"
    for each in status.get("conditions", []):
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return each.get("reason", ""), _with_message(each)
    return "", ""


def _last_end(container: Mapping[str, Any]) -> str:
    """How its process ended the last time, with its last words; "" where it never did."""
    ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated")
    if not ended or ended.get("exitCode") == 0:
        return ""
    words = str(ended.get("message", "")).strip().splitlines()
    said = f": {' / '.join(words[-LAST_LINES:])}" if words else ""
    return f"it ended with {ended.get('reason', 'Error')}, exit status {ended.get('exitCode')}{said}"


def _with_message(said: Mapping[str, Any]) -> str:
    message = " ".join(str(said.get("message", "")).split())
    return f"{said.get('reason', '')} ({message})" if message else str(said.get("reason", ""))
