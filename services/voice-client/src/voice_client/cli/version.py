"""`voice --version`: which version is installed?"""

from importlib.metadata import version
from typing import Annotated

import typer


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"voice {version('voice-workflow-client')}")
        raise typer.Exit


def common(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Talk to a voice gateway with recordings, typed words or a microphone."""
