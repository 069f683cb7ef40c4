"""When did what happen? A file of JSON lines, for tests and benchmarks that compute a turn's programmed path."""

import asyncio
import json
import time
from pathlib import Path
from typing import IO

FLUSH_S = 0.2
"""A line is in the file this long after its event at the latest."""


class Timeline:
    """Events with their time.monotonic(), which is one clock for every process of a machine."""

    def __init__(self, path: Path | None) -> None:
        """`path` None: nothing is written."""
        self._file: IO[str] | None = path.open("a", encoding="utf-8") if path else None
        self._flush: asyncio.TimerHandle | None = None

    def note(self, event: str, at: float | None = None, **facts: str | int) -> None:
        """Write an event of now, or of `at`."""
        if self._file is None:
            return
        line = {"t": time.monotonic() if at is None else at, "event": event, **facts}
        self._file.write(json.dumps(line) + "\n")
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_S, self._flush_now)

    def close(self) -> None:
        """Write what is left."""
        if self._flush is not None:
            self._flush.cancel()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _flush_now(self) -> None:
        self._flush = None
        if self._file is not None:
            self._file.flush()
