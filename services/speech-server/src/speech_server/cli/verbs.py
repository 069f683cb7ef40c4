"""What can `speech-server` do besides serving? A verb and its function; only what is asked for is imported."""

import importlib
import sys
from collections.abc import Mapping, Sequence

from serving.settings import BadSettings

from speech_server.errors import EngineError, SpeechError


class CommandFailed(Exception):
    """A verb could not do its work; the sentence says why."""


COMMANDS: Mapping[str, tuple[str, str]] = {
    "doctor": ("doctor.command", "check whether the server can start here as it is set"),
    "models": ("models", "fetch, list, verify or delete the weights of the engines"),
    "voices": ("voices", "list the voices of the chosen engine"),
    "recognise": ("recognise", "transcribe recordings without a server"),
    "client": ("client", "stream a recording to a running server"),
    "warmup": ("warmup", "wait until a server serves, then use it once"),
    "bench": ("bench", "measure how late results of many streams are"),
    "bench-decode": ("bench_decode", "measure decoding beside the bare model"),
    "report": ("report", "sum up the request log"),
}
"""Module and meaning; the module's `main` takes the arguments after the verb and gives the exit code."""


def run_verb(verb: str, arguments: Sequence[str]) -> int:
    """Do what one of COMMANDS does; gives its exit code, 1 after a sentence on standard error."""
    try:
        return int(importlib.import_module(f"speech_server.cli.{COMMANDS[verb][0]}").main(arguments))
    except (BadSettings, CommandFailed, SpeechError, EngineError, OSError) as error:
        sys.stderr.write(f"speech-server {verb}: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def listing() -> str:
    """The verbs with their meanings, a line each."""
    width = max(map(len, COMMANDS))
    return "\n".join(f"  {verb:<{width}}  {meaning}" for verb, (_, meaning) in COMMANDS.items())
