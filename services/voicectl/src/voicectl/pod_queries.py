"""What do the pods themselves say? Metrics and settings taken, through the API server's pod proxy."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from voicectl.cluster.api import Cluster
from voicectl.core.evidence import PodMetrics
from voicectl.core.live_settings import AppliedSettings, applied_settings, short_hash
from voicectl.core.metrics import sums
from voicectl.core.release_state import Pod
from voicectl.errors import NotFound, VoicectlError
from voicectl.names import Names

AT_ONCE = 8
"""Pods asked at the same time."""

T = TypeVar("T")


def pod_metrics(cluster: Cluster, pods: Sequence[Pod]) -> list[PodMetrics]:
    """Each pod with its metrics, in the same order."""

    def ask(pod: Pod) -> PodMetrics:
        try:
            return PodMetrics(pod, sums(cluster.from_pod(pod.name, pod.http_port, "metrics")))
        except VoicectlError:
            return PodMetrics(pod, None)

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


def settings(cluster: Cluster, pods: Sequence[Pod]) -> list[AppliedSettings]:
    """Which live settings each pod has taken, in the same order."""

    def ask(pod: Pod) -> AppliedSettings:
        try:
            return applied_settings(pod, cluster.from_pod(pod.name, pod.http_port, "readyz"))
        except VoicectlError as error:
            return AppliedSettings(pod, unread=str(error))

    return _each(ask, pods)


def config_map_hashes(cluster: Cluster, names: Names) -> dict[str, str]:
    """The short hash of each file of the live ConfigMap, by its key; empty where there is no such ConfigMap."""
    try:
        files = cluster.config_map(names.live_config).get("data", {})
    except NotFound:
        return {}
    return {key: short_hash(text) for key, text in files.items()}


def _each(ask: Callable[[Pod], T], pods: Sequence[Pod]) -> list[T]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(ask, pods))
