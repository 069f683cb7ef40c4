"""The `voice` command: which verbs are there?"""

import typer

from voice_client.cli.ask import ask
from voice_client.cli.check import check
from voice_client.cli.devices import devices
from voice_client.cli.info import info
from voice_client.cli.say import say
from voice_client.cli.talk import talk
from voice_client.cli.version import common

app = typer.Typer(
    name="voice",
    help="Talk to a voice gateway with recordings, typed words or a microphone.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.callback()(common)
app.command()(say)
app.command()(ask)
app.command()(talk)
app.command()(devices)
app.command()(info)
app.command()(check)


def main() -> None:
    """Entry point of the `voice` command."""
    app()
