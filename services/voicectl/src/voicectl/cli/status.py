"""`voicectl status`: which pods are there, what do they run, how many calls do they hold, who gets new calls?"""

from collections.abc import Sequence
from typing import Any

import typer
from rich.table import Table

from voicectl import look
from voicectl.cli.running import Json, find, say, show, spoken, write_json
from voicectl.cluster.reading import read_pods, read_release
from voicectl.core.observed import Pod, Release
from voicectl.core.share import of_new_calls
from voicectl.core.state import sentence, state


def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Show tracks, weights and pods with the calls they hold."""
    with spoken():
        cluster, names = find(ctx)
        release = read_release(cluster, names)
        pods = read_pods(cluster, names)
        calls = look.calls(cluster, pods)
        if as_json:
            write_json(_fields(cluster.namespace, release, pods, calls))
            return
        show(_tracks(release), _pods(pods, calls))
        for pod in pods:
            if pod.hindrance and not pod.ending:
                say(f"{pod.name}: {pod.hindrance}")
        if any(held is None for held in calls):
            say("calls '?': these pods could not be asked for /metrics through the API server")
        say(sentence(release))


def _fields(namespace: str, release: Release, pods: Sequence[Pod], calls: Sequence[int | None]) -> dict[str, Any]:
    weights = release.weights
    return {
        "release": release.names.release,
        "namespace": namespace,
        "state": state(release),
        "told": sentence(release),
        "canary_percent": round(of_new_calls(release), 1),
        "route": None if weights is None else {"stable": weights.stable, "canary": weights.canary},
        "tracks": [
            {"track": name, "image": each.image, "wanted": each.wanted, "ready": each.ready}
            for name, each in (("stable", release.stable), ("canary", release.canary))
        ],
        "pods": [
            {
                "name": pod.name,
                "track": str(pod.track),
                "image": pod.image,
                "ready": pod.ready,
                "ending": pod.ending,
                "hindrance": pod.hindrance,
                "calls": held,
            }
            for pod, held in zip(pods, calls, strict=True)
        ],
    }


def _tracks(release: Release) -> Table:
    table = Table("track", "image", "ready", "new calls")
    share = of_new_calls(release)
    for name, each, percent in (("stable", release.stable, 100 - share), ("canary", release.canary, share)):
        image = each.image if each.wanted or name == "stable" else "-"
        table.add_row(name, image, f"{each.ready}/{each.wanted}", f"{percent:.1f} %")
    return table


def _pods(pods: Sequence[Pod], calls: Sequence[int | None]) -> Table:
    table = Table("pod", "track", "image", "state", "calls")
    for pod, held in zip(pods, calls, strict=True):
        condition = "ending" if pod.ending else "ready" if pod.ready else pod.reason or "not ready"
        table.add_row(
            pod.name, str(pod.track), pod.image.rpartition("/")[2], condition, "?" if held is None else str(held)
        )
    return table
