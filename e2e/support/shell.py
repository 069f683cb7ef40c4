"""How is a program run here? With a deadline, and with what it said when it fails."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class CommandFailed(Exception):
    """A program failed or took too long; the text holds its outputs."""


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program left."""

    status: int
    out: str
    err: str


def attempt(
    command: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None, typed: str = ""
) -> ProgramResult:
    """Runs it on the input `typed`, whatever its exit status. Raises CommandFailed after `timeout_s`."""
    try:
        done = subprocess.run(
            command, input=typed, capture_output=True, text=True, timeout=timeout_s, env=env, check=False
        )
    except subprocess.TimeoutExpired as late:
        said = f"{late.stdout!r}\n{late.stderr!r}"
        raise CommandFailed(f"{' '.join(command)} took longer than {timeout_s:g} s\n{said}") from None
    return ProgramResult(done.returncode, done.stdout, done.stderr)


def run(command: Sequence[str], *, timeout_s: float, typed: str = "") -> str:
    """Its standard output. Raises CommandFailed."""
    said = attempt(command, timeout_s=timeout_s, typed=typed)
    if said.status:
        raise CommandFailed(f"{' '.join(command)} failed with {said.status}\n{said.out}\n{said.err}")
    return said.out
