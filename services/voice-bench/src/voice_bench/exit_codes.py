"""How does a command end? 0 all went well · 1 it did not · 130 Ctrl-C."""

import asyncio
from collections.abc import Coroutine

import typer
from rich.console import Console

INTERRUPTED = 130


def exit_with(work: Coroutine[None, None, bool]) -> None:
    """Run `work` to its end and exit; it tells whether all went well."""
    try:
        went_well = asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(0 if went_well else 1)


def to_stderr(sentence: str) -> None:
    """For a person who has to do something about it."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(sentence, style="red")
