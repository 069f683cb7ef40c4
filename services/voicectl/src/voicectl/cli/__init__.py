"""The `voicectl` command: which verbs are there?"""

import typer

from voicectl.cli.canary import canary
from voicectl.cli.config import config
from voicectl.cli.runner import select_release
from voicectl.cli.status import status
from voicectl.cli.why import why

app = typer.Typer(
    name="voicectl",
    help="Start, promote or roll back a canary of a voice-workflow release on Kubernetes, and inspect its pods.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.callback()(select_release)
app.add_typer(canary)
app.command()(status)
app.command()(config)
app.command()(why)


def main() -> None:
    """Entry point of the `voicectl` command."""
    app()
