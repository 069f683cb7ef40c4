"""How does a verb run, and what does the command exit with?

0 all was said, heard and answered · 1 it was not · 2 wrong usage, or no audio device · 3 no gateway there · 130 Ctrl-C
"""

import asyncio
from collections.abc import Coroutine

import typer
from rich.console import Console

from voice_client.errors import Unreachable, VoiceError

INCOMPLETE = 1
USAGE = 2
NO_GATEWAY = 3
INTERRUPTED = 130

complaints = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""Where sentences about failures go, so that stdout stays for results."""


def run(verb: Coroutine[None, None, bool]) -> None:
    """Runs `verb` to its end and exits; it tells whether all went well."""
    try:
        done = asyncio.run(verb)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except VoiceError as error:
        complaints.print(told(error))
        raise typer.Exit(exit_code(error)) from None
    raise typer.Exit(0 if done else INCOMPLETE)


def exit_code(error: VoiceError) -> int:
    """What the command exits with after `error`."""
    return NO_GATEWAY if isinstance(error, Unreachable) else INCOMPLETE


def told(error: VoiceError) -> str:
    """One sentence for a person."""
    after = f"; try again in {error.retry_after_s:g} s" if error.retry_after_s else ""
    return f"{error}{after}"
