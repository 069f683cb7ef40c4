"""What can `speech-server` do besides serving? A verb and its function; only what is asked for is imported."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """`target` is "module:function"; the function takes the arguments after the verb and gives the exit code."""

    target: str
    meaning: str


COMMANDS: Mapping[str, Command] = {
    "doctor": Command("speech_server.cli.doctor.command:main", "check whether the server can start here as it is set"),
    "models": Command("speech_server.cli.models:main", "fetch, list, verify or delete the weights of the engines"),
    "voices": Command("speech_server.cli.voices:main", "list the voices of the chosen engine"),
    "recognise": Command("speech_server.cli.recognise:main", "transcribe recordings without a server"),
    "client": Command("speech_server.cli.client:main", "stream a recording to a running server"),
    "warmup": Command("speech_server.cli.warmup:main", "wait until a server serves, then use it once"),
    "bench": Command("speech_server.cli.bench:main", "measure how late results of many streams are"),
    "bench-decode": Command("speech_server.cli.bench_decode:main", "measure decoding beside the bare model"),
    "report": Command("speech_server.cli.report:main", "sum up the request log"),
}


def command(verb: str) -> Callable[[Sequence[str]], int]:
    """The function of one of COMMANDS."""
    module, _, name = COMMANDS[verb].target.partition(":")
    found: Callable[[Sequence[str]], int] = getattr(importlib.import_module(module), name)
    return found


def listing() -> str:
    """The verbs with their meanings, a line each."""
    width = max(map(len, COMMANDS))
    return "\n".join(f"  {verb:<{width}}  {one.meaning}" for verb, one in COMMANDS.items())
