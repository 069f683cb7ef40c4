"""Which track takes the new calls? Counted by the pods themselves."""

from collections import Counter

from e2e.support.callers import calls, start, tally
from e2e.support.cluster import Cluster
from e2e.support.release import Release

AT_ONCE = 10


def started(cluster: Cluster, release: Release) -> Counter[str]:
    """Calls begun so far, by track."""
    counted: Counter[str] = Counter()
    for pod in cluster.ready(release.namespace):
        counted[pod.track] += round(cluster.metric(release.namespace, pod.name, "voice_sessions_started_total"))
    return counted


def share_of_canary(cluster: Cluster, release: Release, target: str, count: int, name: str) -> float:
    """Percent of `count` new calls to `target` that the canary took; all must begin. Name: of the callers' Job."""
    before = started(cluster, release)
    command = calls(target, count=count, at_once=AT_ONCE, hold_s=0.2, audio=False)
    callers = start(cluster, release.namespace, name, release.config.image("client"), command)
    outcomes = callers.outcomes(within_s=120)
    assert tally(outcomes) == {"normal": count}, [one for one in outcomes if one.end != "normal"]
    taken = started(cluster, release) - before
    assert taken.total() == count, f"{count} calls were made, {dict(taken)} were counted"
    return 100 * taken["canary"] / count
