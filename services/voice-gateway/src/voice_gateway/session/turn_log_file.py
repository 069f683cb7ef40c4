"""Where are a call's turn events kept for replay? One file of JSON lines per call, where a folder was named.

A turn log never costs a call: a disk that is full or gone ends it, with one line in the log, until a later call
finds it well again. Files hold what callers said, so only this user may read them, and they are deleted by age and by
the folder's size.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from voice_gateway.core import turn_log
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_states import State
from voice_gateway.core.turn_types import Event

log = logging.getLogger(__name__)

_PRUNE_EVERY_S = 60.0
_SUFFIX = ".jsonl"


class TurnLog(Protocol):
    """Takes the facts that the turn machine is given."""

    def write(self, now: float, event: Event) -> None:
        """`event` was given to the machine at `now`."""

    def change(self, now: float, policy: Policy) -> None:
        """The machine follows this policy from `now` on."""

    def close(self) -> None:
        """The call is over."""


class NoTurnLog:
    """Forgets everything."""

    def write(self, now: float, event: Event) -> None:
        """Nothing."""

    def change(self, now: float, policy: Policy) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class TurnLogFile:
    """One call's file; buffered, closed with the call. Writes nothing more once it has failed or is full."""

    def __init__(self, path: Path, header: str, max_bytes: int, failed: Callable[[OSError], None]) -> None:
        """Raises OSError."""
        self._file: TextIO | None = os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8"
        )
        self._left_bytes = max_bytes
        self._failed = failed
        self._line(header)

    def write(self, now: float, event: Event) -> None:
        """One line."""
        self._line(turn_log.encode(now, event))

    def change(self, now: float, policy: Policy) -> None:
        """One line."""
        self._line(turn_log.encode_policy(now, policy))

    def close(self) -> None:
        """Flush and close."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self._failed(error)

    def _line(self, line: str) -> None:
        if self._file is None:
            return
        self._left_bytes -= len(line) + 1  # ASCII, as json.dumps writes it
        if self._left_bytes < 0:
            self.close()
            return
        try:
            self._file.write(line + "\n")
        except OSError as error:
            self._failed(error)
            self.close()


@dataclass(frozen=True, slots=True)
class TurnLogLimits:
    """How much is kept."""

    days: float
    folder_bytes: int
    call_bytes: int = 8 * 1024 * 1024
    """About a day of talking; the rest of a longer call is not kept."""


class TurnLogFolder:
    """The turn logs of all calls. Raises OSError when the folder can't be made."""

    def __init__(self, folder: Path, limits: TurnLogLimits) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limits = limits
        self._failing = False

    def open(self, name: str, policy: Policy, start: State) -> TurnLog:
        """The turn log of a new call; one that forgets everything where the disk does not take it."""
        header, path = turn_log.header(policy, start), self._folder / f"{name}{_SUFFIX}"
        try:
            opened = TurnLogFile(path, header, self._limits.call_bytes, self._note)
        except OSError as error:
            self._note(error)
            return NoTurnLog()
        return opened

    async def keep_small(self) -> None:
        """Delete old turn logs now and then, until cancelled."""
        while True:
            await asyncio.to_thread(self.prune, time.time())
            await asyncio.sleep(_PRUNE_EVERY_S)

    def prune(self, now: float) -> None:
        """Delete what is too old at `now` (Unix time), and the oldest of what is too much."""
        try:
            found = [(file.stat(), Path(file.path)) for file in os.scandir(self._folder) if file.name.endswith(_SUFFIX)]
            kept_bytes = 0
            for stat, path in sorted(found, key=lambda each: each[0].st_mtime, reverse=True):
                kept_bytes += stat.st_size
                if now - stat.st_mtime > self._limits.days * 86_400 or kept_bytes > self._limits.folder_bytes:
                    path.unlink(missing_ok=True)
        except OSError as error:
            self._note(error)
        else:
            self._failing = False

    def _note(self, error: OSError) -> None:
        if not self._failing:
            log.error("turn logs can't be written: %s; calls go on", error)
        self._failing = True
