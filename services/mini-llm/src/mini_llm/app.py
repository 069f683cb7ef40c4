"""The command `mini-llm`: serve (what it does by itself), or write the grammar for a recogniser."""

import asyncio
import logging
import signal
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from mini_llm.grammar import jsgf, sentences
from mini_llm.server import CannotServe, serving
from mini_llm.settings import Settings, SettingsRefused, read_settings

main = typer.Typer(
    help="An OpenAI-compatible chat server without weights. Settings: MINI_LLM_* in the environment.",
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mini-llm {version('voice-workflow-mini-llm')}")
        raise typer.Exit


@main.callback(invoke_without_command=True)
def _default(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        serve()


@main.command()
def serve() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(_serve(read_settings()))
    except SettingsRefused as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(2) from None
    except CannotServe as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None


@main.command()
def grammar(
    out: Annotated[Path, typer.Option(help="folder for intents.gram (JSGF) and sentences.txt")],
) -> None:
    """Write what a recogniser needs to hear everything that is understood here."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "intents.gram").write_text(jsgf(), "utf-8")
        lines = dict.fromkeys(text for _, text in sentences())
        (out / "sentences.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    except OSError as error:
        typer.echo(f"Cannot write to {out}: {error.strerror}.", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{out / 'intents.gram'}\n{out / 'sentences.txt'}: {len(lines)} sentences")


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
