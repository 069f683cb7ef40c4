"""The command `mini-llm`: serve until SIGTERM or SIGINT."""

import asyncio
import logging
import signal
from importlib.metadata import version
from typing import Annotated

import typer

from mini_llm.server import CannotServe, serving
from mini_llm.settings import Settings, SettingsRefused, read_settings

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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(_serve(read_settings()))
    except SettingsRefused as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from None
    except CannotServe as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None


async def _serve(settings: Settings) -> None:
    """Start, serve, stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    async with serving(settings) as port:
        logging.getLogger("mini_llm").info("listening on %s:%d", settings.host, port)
        await stop.wait()
        logging.getLogger("mini_llm").info("stopping: running answers get %g s", settings.drain_s)


if __name__ == "__main__":
    main()
