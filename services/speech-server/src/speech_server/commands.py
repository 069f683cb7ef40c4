"""What can `speech-server` do besides serving? A verb and its function; only what is asked for is imported."""

import importlib
from collections.abc import Callable, Sequence

COMMANDS = {
    "models": "speech_server.models.cli:main",
    "voices": "speech_server.voices:main",
    "client": "speech_server.tools.client:main",
    "warmup": "speech_server.tools.warmup:main",
    "bench": "speech_server.tools.bench:main",
    "recognise": "speech_server.recognise:main",
    "report": "speech_server.report:main",
    "doctor": "speech_server.doctor.cli:main",
    "bench-decode": "speech_server.parakeet.bench:main",
}
"""Verb to "module:function"; the function takes the arguments after the verb and gives the exit code."""


def command(verb: str) -> Callable[[Sequence[str]], int]:
    """The function of one of COMMANDS."""
    module, _, name = COMMANDS[verb].partition(":")
    found: Callable[[Sequence[str]], int] = getattr(importlib.import_module(module), name)
    return found
