"""When did each request arrive, and when was each token written?"""

import json
import time
from pathlib import Path

FLUSH_EVERY_S = 0.2
"""A reader of the file is at most so far behind while tokens flow; the end of a reply is there at once."""


class NoTimeline:
    """Nobody wants to know."""

    def record(self, event: str, *, at: float | None = None, flush: bool = False, **fields: object) -> None:
        """Forget it."""


class TimelineFile:
    """JSON lines {"t": monotonic seconds, "event": ...}, appended. Close it at the end."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1 << 16)
        self._flushed_at = 0.0

    def record(self, event: str, *, at: float | None = None, flush: bool = False, **fields: object) -> None:
        """Write a line; it reaches the file with `flush`, or when the last flush is FLUSH_EVERY_S ago."""
        now = time.monotonic()
        self._file.write(json.dumps({"t": now if at is None else at, "event": event, **fields}) + "\n")
        if flush or now - self._flushed_at >= FLUSH_EVERY_S:
            self._file.flush()
            self._flushed_at = now

    def close(self) -> None:
        """Everything is in the file afterwards."""
        self._file.close()
