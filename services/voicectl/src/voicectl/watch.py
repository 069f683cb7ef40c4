"""How is a canary watched? Looks at its pods and counters again and again until something speaks against it."""

from collections.abc import Callable
from dataclasses import dataclass

from voicectl import pod_queries
from voicectl.cluster.api import Cluster
from voicectl.cluster.queries import read_pods, read_release
from voicectl.core.canary_state import state
from voicectl.core.evidence import NOT_READY_S, Sight, against, change
from voicectl.core.release_state import Release, Track
from voicectl.core.traffic_share import plural
from voicectl.errors import VoicectlError
from voicectl.executor import Pace
from voicectl.names import Names

LOOK_EVERY_S = 2.0
BLIND_S = 60.0
"""So long an API server may not answer before the watch gives up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`evidence`: what speaks against the canary; "" = nothing did. `told`: how it went, as a sentence."""

    evidence: str
    told: str


def watch(cluster: Cluster, names: Names, tell: Callable[[str], None], pace: Pace, for_s: float) -> Outcome:
    """Watches for `for_s`, or until there is evidence or no canary any more."""
    _, began = _seen(cluster, names)
    now = pace.now()
    end, ready_at, seen_at = now + for_s, now, now
    tell(f"watching the canary for {for_s:g} s")
    while pace.now() < end:
        pace.rest(LOOK_EVERY_S)
        try:
            release, sights = _seen(cluster, names)
        except VoicectlError:
            if pace.now() - seen_at >= BLIND_S:
                raise
            continue
        seen_at = pace.now()
        if state(release) != "running":
            return Outcome("", "the canary was taken away meanwhile")
        if release.canary.ready:
            ready_at = seen_at
        elif seen_at - ready_at >= NOT_READY_S:
            return Outcome(_unready(release, sights), "")
        if evidence := against(change(began, sights, Track.CANARY), change(began, sights, Track.STABLE)):
            return Outcome("; ".join([evidence, *_hindrances(sights)]), "")
    _, sights = _seen(cluster, names)
    added = change(began, sights, Track.CANARY)
    return Outcome(
        "",
        f"nothing spoke against the canary in {for_s:g} s: {plural(added.started, 'call')}, "
        f"{plural(added.turns, 'turn')}, {plural(added.failures, 'failure')}",
    )


def _seen(cluster: Cluster, names: Names) -> tuple[Release, list[Sight]]:
    release = read_release(cluster, names)
    return release, pod_queries.sights(cluster, read_pods(cluster, names))


def _unready(release: Release, sights: list[Sight]) -> str:
    causes = [*filter(None, [release.canary.refused]), *_hindrances(sights)]
    return "; ".join([f"none of its pods was ready for {NOT_READY_S:g} s", *causes])


def _hindrances(sights: list[Sight]) -> list[str]:
    pods = [each.pod for each in sights if each.pod.track is Track.CANARY and not each.pod.ending]
    return [f"{pod.name}: {pod.hindrance}" for pod in pods if pod.hindrance]
