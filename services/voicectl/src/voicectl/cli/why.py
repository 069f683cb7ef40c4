"""`voicectl why`: what keeps the release from being ready? Of its Deployments, pods and Kubernetes' warnings."""

import typer

from voicectl import pod_queries
from voicectl.cli.runner import FAILED, Json, find, reporting_failures, say, write_json
from voicectl.cluster.queries import read_part_pods, read_parts, read_warnings
from voicectl.core.not_ready_reasons import is_incomplete, reasons


def why(ctx: typer.Context, as_json: Json = False) -> None:
    """Print why pods of the release are not ready. Exits with 1 when some are not."""
    with reporting_failures():
        cluster, names = find(ctx)
        pods = read_part_pods(cluster, names)
        waiting = [pod for pod in pods if not pod.ready and not pod.ending and not pod.hindrance]
        parts, warnings = read_parts(cluster, names), read_warnings(cluster)
        found = reasons(parts, pods, pod_queries.unready(cluster, waiting), warnings)
        lacking = any(map(is_incomplete, parts.values()))
        if as_json:
            write_json({"ready": not lacking, "reasons": found})
        else:
            for sentence in found if lacking else []:
                say(sentence)
            if not lacking:
                say("all pods of the release are ready")
        if lacking:
            raise typer.Exit(FAILED)
