"""`voicectl canary`: how does an operator start, watch, promote and roll back a canary?"""

from typing import Annotated

import typer

from voicectl import watch as watching
from voicectl.cli.runner import FAILED, SelectedRelease, find, print_error, reporting_failures, say
from voicectl.cli.status import status
from voicectl.cluster.api import Cluster
from voicectl.cluster.queries import read_release
from voicectl.core import plan as plans
from voicectl.core.actions import Plan
from voicectl.core.canary_state import state
from voicectl.core.helm_command import helm_command
from voicectl.errors import Refused
from voicectl.executor import Executor
from voicectl.names import Names

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the actions without doing them.")]
Watch = Annotated[
    bool,
    typer.Option("--watch", help="Watch the canary afterwards. Roll back when its pods or its calls fail."),
]
WatchS = Annotated[float, typer.Option("--watch-s", min=1, help="Seconds to watch the canary.")]
Timeout = Annotated[float, typer.Option("--timeout-s", min=1, help="Seconds that pods may take to become ready.")]

canary = typer.Typer(name="canary", help="Try a new image on a share of new calls.", no_args_is_help=True)


@canary.command()
def start(
    ctx: typer.Context,
    image: Annotated[str, typer.Option(help="Image of the gateway to try, with tag (and digest).")],
    weight: Annotated[int, typer.Option(help="Percent of new calls for the canary, 1 to 99.")],
    replicas: Annotated[
        int | None, typer.Option(help="Number of canary pods.", show_default="nearest to the weight, at least 1")
    ] = None,
    timeout_s: Timeout = 300,
    watch: Watch = False,
    watch_s: WatchS = 600,
    dry_run: DryRun = False,
) -> None:
    """Start a canary and give it a share of new calls. Run it again with another weight to change the share."""
    with reporting_failures():
        cluster, names = find(ctx)
        plan = plans.start(read_release(cluster, names), image, weight, replicas, timeout_s)
        _carry_out(ctx, cluster, names, plan, dry_run=dry_run)
        if watch and not dry_run:
            _watch(ctx, cluster, names, watch_s, timeout_s)


@canary.command("watch")
def watch_running(ctx: typer.Context, watch_s: WatchS = 600, timeout_s: Timeout = 900) -> None:
    """Watch the running canary. Rolls back and exits with 1 when its pods or its calls fail."""
    with reporting_failures():
        cluster, names = find(ctx)
        if state(read_release(cluster, names)) != "running":
            raise Refused("no canary runs, so there is nothing to watch: start one with voicectl canary start")
        _watch(ctx, cluster, names, watch_s, timeout_s)


@canary.command()
def promote(ctx: typer.Context, timeout_s: Timeout = 900, dry_run: DryRun = False) -> None:
    """Give the stable the canary's image by a rolling update, then remove the canary."""
    with reporting_failures():
        cluster, names = find(ctx)
        _carry_out(ctx, cluster, names, plans.promote(read_release(cluster, names), timeout_s), dry_run=dry_run)


@canary.command()
def rollback(ctx: typer.Context, timeout_s: Timeout = 900, dry_run: DryRun = False) -> None:
    """Stop new calls to the canary at once, then remove its pods. After a promote: restore the previous image."""
    with reporting_failures():
        cluster, names = find(ctx)
        _carry_out(ctx, cluster, names, plans.rollback(read_release(cluster, names), timeout_s), dry_run=dry_run)


canary.command()(status)


def _watch(ctx: typer.Context, cluster: Cluster, names: Names, for_s: float, timeout_s: float) -> None:
    outcome = watching.watch(cluster, names, say, ctx.ensure_object(SelectedRelease).polling, for_s)
    if not outcome.evidence:
        say(f"{outcome.sentence}. Next: voicectl canary promote, or voicectl canary rollback")
        return
    print_error(f"the canary fails: {outcome.evidence}. Rolling back")
    plan = plans.rollback(read_release(cluster, names), timeout_s)
    _carry_out(ctx, cluster, names, plan, dry_run=False)
    raise typer.Exit(FAILED)


def _carry_out(ctx: typer.Context, cluster: Cluster, names: Names, plan: Plan, *, dry_run: bool) -> None:
    if dry_run:
        for note in plan.notes:
            say(f"note: {note}")
        for action in plan.actions:
            say(f"would do: {action.sentence}")
        say("nothing was changed")
        return
    Executor(cluster, names, say, ctx.ensure_object(SelectedRelease).polling).execute(plan)
    say(plan.outcome)
    if plan.record:
        say(f"run this so that Helm's record says the same:\n  {helm_command(names, cluster.namespace, plan.record)}")
