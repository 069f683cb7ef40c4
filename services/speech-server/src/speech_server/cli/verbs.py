"""What can `speech-server` do besides serving? A verb and its function; only what is asked for is imported."""

import importlib
from collections.abc import Callable, Mapping, Sequence

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


def command(verb: str) -> Callable[[Sequence[str]], int]:
    """The function of one of COMMANDS."""
    found: Callable[[Sequence[str]], int] = importlib.import_module(f"speech_server.cli.{COMMANDS[verb][0]}").main
    return found


def listing() -> str:
    """The verbs with their meanings, a line each."""
    width = max(map(len, COMMANDS))
    return "\n".join(f"  {verb:<{width}}  {meaning}" for verb, (_, meaning) in COMMANDS.items())
