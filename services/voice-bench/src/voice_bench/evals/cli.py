"""Which commands play scenarios? `voice-bench evals`, `voice-bench evals run | schema | overlaps | from-log`, `replay`.

They need the gateway's package beside the bench, which measures gateways without it: so it is imported when asked for.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from voice_bench.exit_codes import to_stderr

app = typer.Typer(help="Play conversations on virtual time and judge them.", invoke_without_command=True)

_FOLDER = Path("evals")

Scenarios = Annotated[
    list[Path] | None, typer.Argument(help="Scenario files, or folders of them. Default: the folder evals.")
]
Html = Annotated[Path | None, typer.Option(help="HTML page to write, with a timeline of each call.")]
ShowMoments = Annotated[bool, typer.Option("--moments", help="Print all that happened in calls that failed.")]


@contextmanager
def _needs_gateway() -> Iterator[None]:
    """Around what imports the gateway, or reads files of a user: a mistake is one sentence and status 2."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("voice_gateway"):
            raise
        to_stderr("voice-bench: scenarios need the gateway's package; install voice-workflow-bench[evals]")
        raise typer.Exit(2) from None
    except (ValueError, OSError) as error:
        to_stderr(f"voice-bench: {error}")
        raise typer.Exit(2) from None


@app.callback()
def evals(context: typer.Context) -> None:
    """Play conversations on virtual time and judge them: all of the folder evals, or what a command below names."""
    if context.invoked_subcommand is None:
        run(None, None)


@app.command()
def run(paths: Scenarios = None, html: Html = None, moments: ShowMoments = False) -> None:
    """Play scenarios. Exits with status 1 when one goes wrong."""
    with _needs_gateway():
        from voice_bench.evals import page, report, suite
        from voice_bench.evals.scenario_file import scenario_files

        played = list(suite.play_files(scenario_files(paths or [_FOLDER])))
        report.show(played, moments=moments)
        if html is not None:
            html.parent.mkdir(parents=True, exist_ok=True)
            html.write_text(page.page(played), encoding="utf-8")
            typer.echo(f"timelines: {html}")
    if any(one.mistakes for one in played):
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenarios, for editors."""
    with _needs_gateway():
        from voice_bench.evals import scenario_file

        sys.stdout.write(scenario_file.schema())


@app.command("from-log")
def from_log(
    file: Annotated[Path, typer.Argument(help="Turn log of a call: a file of GATEWAY_JOURNAL_DIR.", dir_okay=False)],
) -> None:
    """Print the scenario of a recorded call: what its caller did, what the recogniser told, and what happened."""
    with _needs_gateway():
        from voice_bench.evals import recorded_call, replaying

        sys.stdout.write(recorded_call.scenario_text(replaying.log_lines(file), file.name))


def replay(
    folder: Annotated[Path, typer.Argument(help="Folder of turn logs (GATEWAY_JOURNAL_DIR), or one of them.")],
    change: Annotated[
        list[str],
        typer.Option("--set", help="Change of the policy as NAME=VALUE, such as end_silence=0.3. Repeatable."),
    ],
) -> None:
    """Decide the turns of recorded calls with another policy: which end earlier, later, or with other words? A turn log
    that can't be read is named and left out; the status is then 2."""
    unreadable = False
    with _needs_gateway():
        from voice_bench.evals import replay_report, replaying

        files = sorted(folder.glob("*.jsonl")) if folder.is_dir() else [folder]
        if not files:
            raise ValueError(f"there is no turn log in {folder}; they are files NAME.jsonl")
        changes, calls = replaying.parsed_changes(change), {}
        for file in files:
            try:
                call = replaying.read_log(replaying.log_lines(file))
            except (ValueError, OSError) as error:
                to_stderr(f"voice-bench: {file}: {error}")
                unreadable = True
                continue
            was, now = replaying.decided_turns(call, {}), replaying.decided_turns(call, changes)
            calls[file.stem] = replaying.differences(was, now)
        replay_report.show(calls)
    if unreadable:
        raise typer.Exit(2)
