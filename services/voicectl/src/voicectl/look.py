"""What do the pods themselves say? Calls held and settings taken, through the API server's pod proxy."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from voicectl.cluster.api import Cluster
from voicectl.core.live import Taken, short_hash, taken_by
from voicectl.core.metrics import calls_held
from voicectl.core.observed import Pod
from voicectl.errors import NotThere, VoicectlError
from voicectl.names import Names

AT_ONCE = 8
"""Pods asked at the same time."""

T = TypeVar("T")


def calls(cluster: Cluster, pods: Sequence[Pod]) -> list[int | None]:
    """Calls held by each pod, in the same order; None where a pod cannot be asked."""

    def ask(pod: Pod) -> int | None:
        try:
            return calls_held(cluster.from_pod(pod.name, pod.http_port, "metrics"))
        except VoicectlError:
            return None

    return _each(ask, pods)


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
