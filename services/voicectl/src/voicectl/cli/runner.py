"""Where does a verb find its release, how does it speak, and what does the command exit with?

0 done, or all is well · 1 it failed, or not all is well · 2 wrong usage · 3 no cluster there · 130 Ctrl-C
"""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from voicectl.cluster.api import Cluster, connect
from voicectl.cluster.queries import find_release
from voicectl.errors import NoCluster, VoicectlError
from voicectl.executor import Polling
from voicectl.names import Names

FAILED = 1
NO_CLUSTER = 3
INTERRUPTED = 130

MINIMUM_WIDTH = 140
"""Characters, for tables."""

_OURS = re.compile(r"\bvoicectl (canary|status|config|why)\b")
_command: ContextVar[str] = ContextVar("command", default="voicectl")

Json = Annotated[bool, typer.Option("--json", help="Write one JSON object to stdout.")]


@dataclass(frozen=True, slots=True)
class SelectedRelease:
    """The options before the verb."""

    namespace: str | None = None
    release: str | None = None
    context: str | None = None
    polling: Polling = field(default_factory=Polling)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"voicectl {version('voice-workflow-ctl')}")
        raise typer.Exit


def select_release(
    ctx: typer.Context,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Namespace of the release.", show_default="the context's")
    ] = None,
    release: Annotated[
        str | None,
        typer.Option("--release", "-r", help="Name of the Helm release.", show_default="the only one in the namespace"),
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", help="Context of the kubeconfig.", show_default="the current one")
    ] = None,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Start, promote or roll back a canary of a voice-workflow release on Kubernetes, and inspect its pods."""
    ctx.obj = SelectedRelease(namespace, release, context, ctx.obj if isinstance(ctx.obj, Polling) else Polling())


def find(ctx: typer.Context) -> tuple[Cluster, Names]:
    """Connects, for as long as the command runs, and finds the release."""
    chosen = ctx.ensure_object(SelectedRelease)
    cluster = connect(chosen.namespace, chosen.context)
    ctx.call_on_close(cluster.api.close)
    _command.set(_command_prefix(cluster.namespace, chosen))
    return cluster, find_release(cluster, chosen.release)


def _command_prefix(namespace: str, chosen: SelectedRelease) -> str:
    """How this command was begun, so that one that a sentence names does the same release when it is pasted."""
    program = sys.argv[0] if sys.argv[0].endswith("/voicectl") else "voicectl"
    parts = [program, "--namespace", namespace]
    for option, value in (("--release", chosen.release), ("--context", chosen.context)):
        parts += [option, value] if value else []
    return shlex.join(parts)


def _with_commands(sentence: str) -> str:
    return _OURS.sub(lambda found: f"{_command.get()} {found[1]}", sentence)


@contextmanager
def reporting_failures() -> Iterator[None]:
    """Failures become one sentence on stderr and an exit status."""
    try:
        yield
    except VoicectlError as error:
        print_error(str(error))
        raise typer.Exit(NO_CLUSTER if isinstance(error, NoCluster) else FAILED) from None
    except KeyboardInterrupt:
        print_error("stopped; what is done stays done. Run the same command again to go on")
        raise typer.Exit(INTERRUPTED) from None


def print_error(sentence: str) -> None:
    """To stderr, so that stdout stays for results."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(_with_commands(sentence))


def say(sentence: str) -> None:
    """To stdout, at once."""
    Console(highlight=False, markup=False, soft_wrap=True).print(_with_commands(sentence))


def show(*tables: Table) -> None:
    """To stdout; names are never cut short, however narrow the terminal is or where none is."""
    width = max(Console().width, MINIMUM_WIDTH)
    Console(highlight=False, width=width).print(*tables)


def write_json(fields: dict[str, Any]) -> None:
    """One JSON object on a line of its own."""
    sys.stdout.write(json.dumps(fields, ensure_ascii=False) + "\n")
