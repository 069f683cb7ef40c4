"""How is a canary watched? Looks at its pods and counters again and again until something speaks against it."""

from collections.abc import Callable
from dataclasses import dataclass

from voicectl import pod_queries
from voicectl.cluster.api import Cluster
from voicectl.cluster.queries import read_pods, read_release
from voicectl.core.canary_state import state
from voicectl.core.evidence import NOT_READY_S, PodMetrics, against, change
from voicectl.core.release_state import Release, Track
from voicectl.core.traffic_share import plural
from voicectl.errors import VoicectlError
from voicectl.executor import Polling
from voicectl.names import Names

EVERY_S = 2.0
BLIND_S = 60.0
"""So long an API server may not answer before the watch gives up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`evidence`: what speaks against the canary; "" = nothing did. `sentence`: how it went, as a sentence."""

    evidence: str
    sentence: str


def watch(cluster: Cluster, names: Names, tell: Callable[[str], None], polling: Polling, for_s: float) -> Outcome:
    """Watches for `for_s`, or until there is evidence or no canary any more."""
    _, began = _observe(cluster, names)
    now = polling.now()
    end, ready_at, seen_at = now + for_s, now, now
    tell(f"watching the canary for {for_s:g} s")
    while polling.now() < end:
        polling.sleep(EVERY_S)
        try:
            release, pod_metrics = _observe(cluster, names)
        except VoicectlError:
            if polling.now() - seen_at >= BLIND_S:
                raise
            continue
        seen_at = polling.now()
        if state(release) != "running":
            return Outcome("", "the canary was removed meanwhile")
        if release.canary.ready:
            ready_at = seen_at
        elif seen_at - ready_at >= NOT_READY_S:
            return Outcome(_unready(release, pod_metrics), "")
        if evidence := against(change(began, pod_metrics, Track.CANARY), change(began, pod_metrics, Track.STABLE)):
            return Outcome("; ".join([evidence, *_hindrances(pod_metrics)]), "")
    _, pod_metrics = _observe(cluster, names)
    added = change(began, pod_metrics, Track.CANARY)
    return Outcome(
        "",
        f"the canary worked for {for_s:g} s: {plural(added.started, 'call')}, "
        f"{plural(added.turns, 'turn')}, {plural(added.failures, 'failure')}",
    )


def _observe(cluster: Cluster, names: Names) -> tuple[Release, list[PodMetrics]]:
    release = read_release(cluster, names)
    return release, pod_queries.pod_metrics(cluster, read_pods(cluster, names))


def _unready(release: Release, pod_metrics: list[PodMetrics]) -> str:
    causes = [*filter(None, [release.canary.refused]), *_hindrances(pod_metrics)]
    return "; ".join([f"none of its pods was ready for {NOT_READY_S:g} s", *causes])


def _hindrances(pod_metrics: list[PodMetrics]) -> list[str]:
    pods = [each.pod for each in pod_metrics if each.pod.track is Track.CANARY and not each.pod.ending]
    return [f"{pod.name}: {pod.hindrance}" for pod in pods if pod.hindrance]
