"""The command `mini-llm`: serve until SIGTERM or SIGINT."""

import asyncio
import logging
from importlib.metadata import version
from typing import Annotated

import typer
from serving import log_format
from serving.ports import PortTaken
from serving.settings import BadSettings, read
from serving.signals import stop_on_signals

from mini_llm.server import CannotServe, serving
from mini_llm.settings import Settings

main = typer.Typer(pretty_exceptions_enable=False)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mini-llm {version('voice-workflow-mini-llm')}")
        raise typer.Exit


@main.command()
def serve(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """An OpenAI-compatible chat server without weights. Settings: MINI_LLM_* in the environment."""
    log_format.set_up("INFO", "text")
    try:
        asyncio.run(_serve(read(Settings)))
    except BadSettings as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from None
    except (CannotServe, PortTaken) as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None


async def _serve(settings: Settings) -> None:
    """Start, serve, stop."""
    stop = stop_on_signals()
    async with serving(settings) as port:
        logging.getLogger("mini_llm").info("listening on %s:%d", settings.host, port)
        await stop.drain.wait()
        logging.getLogger("mini_llm").info("stopping: running answers get %g s", settings.drain_s)


if __name__ == "__main__":
    main()
