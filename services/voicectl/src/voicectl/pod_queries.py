"""What do the pods themselves say? Metrics and settings taken, through the API server's pod proxy."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from voicectl.cluster.api import Cluster
from voicectl.core.evidence import Sight
from voicectl.core.live_settings import Taken, short_hash, taken_by
from voicectl.core.metrics import sums
from voicectl.core.release_state import Pod
from voicectl.errors import NotThere, VoicectlError
from voicectl.names import Names

AT_ONCE = 8
"""Pods asked at the same time."""

T = TypeVar("T")


def sights(cluster: Cluster, pods: Sequence[Pod]) -> list[Sight]:
    """Each pod with its metrics, in the same order."""

    def ask(pod: Pod) -> Sight:
        try:
            return Sight(pod, sums(cluster.from_pod(pod.name, pod.http_port, "metrics")))
        except VoicectlError:
            return Sight(pod, None)

    return _each(ask, pods)


def unready(cluster: Cluster, pods: Sequence[Pod]) -> dict[str, list[str]]:
    """Why each pod says it is not ready, by its name; pods that say nothing are left out."""

    def ask(pod: Pod) -> list[str]:
        try:
            found = json.loads(cluster.from_pod(pod.name, pod.http_port, "readyz"))["reasons"]
        except (VoicectlError, ValueError, KeyError, TypeError):
            return []
        return [f"{name}: {trouble}" for name, trouble in found.items()] if isinstance(found, dict) else [str(found)]

    return {pod.name: said for pod, said in zip(pods, _each(ask, pods), strict=True) if said}


def settings(cluster: Cluster, pods: Sequence[Pod]) -> list[Taken]:
    """Which live settings each pod has taken, in the same order."""

    def ask(pod: Pod) -> Taken:
        try:
            return taken_by(pod, cluster.from_pod(pod.name, pod.http_port, "readyz"))
        except VoicectlError as error:
            return Taken(pod, unread=str(error))

    return _each(ask, pods)


def wanted_settings(cluster: Cluster, names: Names) -> dict[str, str]:
    """The short hash of each file of the live ConfigMap, by its key; empty where there is no such ConfigMap."""
    try:
        files = cluster.config_map(names.live_config).get("data", {})
    except NotThere:
        return {}
    return {key: short_hash(text) for key, text in files.items()}


def _each(ask: Callable[[Pod], T], pods: Sequence[Pod]) -> list[T]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(ask, pods))
