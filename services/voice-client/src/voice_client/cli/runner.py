"""How does a verb run, and what does the command exit with?

0 all was said, heard and answered · 1 it was not · 2 wrong usage, or no audio device · 3 no gateway there · 130 Ctrl-C
"""

import asyncio
import os
import sys
from collections.abc import Coroutine

import typer
from rich.console import Console

from voice_client.errors import Unauthorised, Unreachable, VoiceError

INCOMPLETE = 1
USAGE = 2
NO_GATEWAY = 3
INTERRUPTED = 130

stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""Where sentences about failures go, so that stdout stays for results."""


def run(verb: Coroutine[None, None, bool]) -> None:
    """Runs `verb` to its end and exits; it tells whether all went well."""
    try:
        done = asyncio.run(verb)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (VoiceError, OSError, ExceptionGroup) as error:
        raise typer.Exit(_report(_first(error))) from None
    raise typer.Exit(0 if done else INCOMPLETE)


def _report(error: Exception) -> int:
    """Say what went wrong; the exit code."""
    match error:
        case BrokenPipeError():
            _close_stdout()
            return INCOMPLETE
        case VoiceError():
            stderr.print(failure_sentence(error))
            return exit_code(error)
        case OSError():
            stderr.print(f"{error.filename or 'output'}: {error.strerror or error}")
            return INCOMPLETE
    raise error


def _first(error: Exception) -> Exception:
    """The error itself, or the first one in a group of tasks."""
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def _close_stdout() -> None:
    """Whoever read stdout, such as `head`, has seen enough: nothing is left to be flushed at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code(error: VoiceError) -> int:
    """What the command exits with after `error`."""
    return NO_GATEWAY if isinstance(error, Unreachable) else INCOMPLETE


def failure_sentence(error: VoiceError) -> str:
    """One sentence for a person."""
    sentence = str(error)
    if isinstance(error, Unauthorised) and "token" in sentence:
        sentence = f"{sentence} (voice sends the one of --token-file, --token or VOICE_TOKEN)"
    if not error.retry_after_s:
        return sentence
    when = f"in {error.retry_after_s:g} s"
    if sentence.endswith("again"):
        return f"{sentence} {when}"
    return f"{sentence} ({when})" if "again" in sentence else f"{sentence}; try again {when}"
