"""Where are a call's turn events kept for replay? One file of JSON lines per call, where a folder was named."""

from pathlib import Path
from typing import Protocol, TextIO

from voice_gateway.core import journal
from voice_gateway.core.floor import Event, Policy, State


class Journal(Protocol):
    """Takes what the turn machine was told."""

    def write(self, now: float, event: Event) -> None:
        """`event` was given to the machine at `now`."""

    def change(self, now: float, policy: Policy) -> None:
        """The machine follows this policy from `now` on."""

    def close(self) -> None:
        """The call is over."""


class NoJournal:
    """Forgets everything."""

    def write(self, now: float, event: Event) -> None:
        """Nothing."""

    def change(self, now: float, policy: Policy) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class FileJournal:
    """One call's file; buffered, closed with the call."""

    def __init__(self, path: Path, policy: Policy, start: State) -> None:
        self._file: TextIO = path.open("w", encoding="utf-8")
        self._file.write(journal.header(policy, start) + "\n")

    def write(self, now: float, event: Event) -> None:
        """One line."""
        self._file.write(journal.encode(now, event) + "\n")

    def change(self, now: float, policy: Policy) -> None:
        """One line."""
        self._file.write(journal.encode_policy(now, policy) + "\n")

    def close(self) -> None:
        """Flush and close."""
        self._file.close()
