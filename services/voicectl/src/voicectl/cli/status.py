"""`voicectl status`: which pods are there, what do they run, who gets new calls, and are these answered?"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table

from voicectl import pod_queries
from voicectl.cli.runner import Json, find, reporting_failures, say, show, write_json
from voicectl.cluster.queries import read_pods, read_release
from voicectl.core.canary_state import sentence, state
from voicectl.core.evidence import PodMetrics, against, of_track
from voicectl.core.release_state import Release, Track
from voicectl.core.traffic_share import of_new_calls


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Show tracks, weights and pods, their calls and their failures."""
    with reporting_failures():
        cluster, names = find(ctx)
        release = read_release(cluster, names)
        pods = read_pods(cluster, names)
        pod_metrics = pod_queries.pod_metrics(cluster, pods)
        if as_json:
            write_json(_fields(cluster.namespace, release, pod_metrics))
            return
        show(_tracks(release, pod_metrics), _pods(pod_metrics))
        for name, each in (("stable", release.stable), ("canary", release.canary)):
            if each.refused:
                say(f"{name}: {each.refused}")
        for pod in pods:
            if pod.hindrance and not pod.ending:
                say(f"{pod.name}: {pod.hindrance}")
        if any(each.calls is None for each in pod_metrics):
            say("calls '?': these pods' /metrics could not be read through the API server")
        if evidence := against(of_track(pod_metrics, Track.CANARY), of_track(pod_metrics, Track.STABLE)):
            say(f"canary: {evidence}")
        say(sentence(release))


def _fields(namespace: str, release: Release, pod_metrics: Sequence[PodMetrics]) -> dict[str, Any]:
    weights = release.weights
    return {
        "release": release.names.release,
        "namespace": namespace,
        "state": state(release),
        "told": sentence(release),
        "canary_percent": round(of_new_calls(release), 1),
        "route": None if weights is None else {"stable": weights.stable, "canary": weights.canary},
        "tracks": [
            {
                "track": str(track),
                "image": each.image,
                "wanted": each.wanted,
                "ready": each.ready,
                "refused": each.refused,
                **asdict(of_track(pod_metrics, track)),
            }
            for track, each in ((Track.STABLE, release.stable), (Track.CANARY, release.canary))
        ],
        "pods": [
            {
                "name": each.pod.name,
                "track": str(each.pod.track),
                "image": each.pod.image,
                "ready": each.pod.ready,
                "ending": each.pod.ending,
                "hindrance": each.pod.hindrance,
                "calls": each.calls,
                **asdict(each.counters),
            }
            for each in pod_metrics
        ],
    }


def _tracks(release: Release, pod_metrics: Sequence[PodMetrics]) -> Table:
    table = Table("track", "image", "ready", "new calls", "calls begun", "turns", "replies", "failures", "restarts")
    share = of_new_calls(release)
    for track, each, percent in (
        (Track.STABLE, release.stable, 100 - share),
        (Track.CANARY, release.canary, share),
    ):
        image = each.image if each.wanted or track is Track.STABLE else "-"
        seen = of_track(pod_metrics, track)
        counts = (seen.started, seen.turns, seen.replies, seen.failures, seen.restarts)
        table.add_row(str(track), image, f"{each.ready}/{each.wanted}", f"{percent:.1f} %", *map(str, counts))
    return table


def _pods(pod_metrics: Sequence[PodMetrics]) -> Table:
    table = Table("pod", "track", "image", "state", "calls", "failures", "restarts")
    for each in pod_metrics:
        pod, seen = each.pod, each.counters
        condition = "ending" if pod.ending else "ready" if pod.ready else pod.reason or "not ready"
        held = "?" if each.calls is None else str(each.calls)
        image = pod.image.rpartition("/")[2]
        table.add_row(pod.name, str(pod.track), image, condition, held, str(seen.failures), str(seen.restarts))
    return table
