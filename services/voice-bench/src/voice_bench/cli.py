"""The `voice-bench` command: which verbs are there?"""

from importlib.metadata import version
from typing import Annotated

import typer

from voice_bench.check.cli import production_check, riva_check
from voice_bench.demo.command import demo
from voice_bench.evals.cli import app as evals
from voice_bench.evals.cli import replay
from voice_bench.measure.cli import app as measurements
from voice_bench.run_stack import run
from voice_bench.speech.cli import app as speech

app = typer.Typer(
    name="voice-bench",
    help="Run the whole stack on this machine, hear it talk and measure it; check any other gateway or Riva.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"voice-bench {version('voice-workflow-bench')}")
        raise typer.Exit


@app.callback()
def common(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run the whole stack on this machine, hear it talk and measure it; check any other gateway or Riva."""


app.command()(demo)
app.command()(run)
app.command()(riva_check)
app.command()(production_check)
app.command()(replay)
app.add_typer(evals, name="evals")
app.add_typer(measurements)
app.add_typer(speech)


def main() -> None:
    """Entry point of the `voice-bench` command."""
    app()
