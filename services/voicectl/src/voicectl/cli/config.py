"""`voicectl config`: which live settings has each pod taken?"""

import typer
from rich.table import Table

from voicectl import pod_queries
from voicectl.cli.runner import FAILED, Json, find, reporting_failures, say, show, write_json
from voicectl.cluster.queries import read_pods
from voicectl.core.live_settings import verdict


def config(ctx: typer.Context, as_json: Json = False) -> None:
    """Show which live settings each pod applied or refused. Exits with 1 unless all applied the ConfigMap's."""
    with reporting_failures():
        cluster, names = find(ctx)
        pods = [pod for pod in read_pods(cluster, names) if not pod.ending]
        taken = pod_queries.settings(cluster, pods)
        wanted = pod_queries.config_map_hashes(cluster, names)
        found = verdict(wanted, taken)
        if as_json:
            told = [
                {"name": each.pod.name, "track": str(each.pod.track)}
                | {"taken": each.taken, "refused": each.refused, "unread": each.unread}
                for each in taken
            ]
            hashes = sorted(set(wanted.values()))
            write_json({"agreed": found.agreed, "told": found.sentence, "config_map": hashes, "pods": told})
        else:
            table = Table("pod", "track", "taken", "refused")
            for each in taken:
                table.add_row(each.pod.name, str(each.pod.track), each.taken or "?", "yes" if each.refused else "-")
            show(table)
            for each in taken:
                if each.refused or each.unread:
                    say(f"{each.pod.name}: {each.refused or each.unread}")
            say(found.sentence)
        if not found.agreed:
            raise typer.Exit(FAILED)
