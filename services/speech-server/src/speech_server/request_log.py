"""Where do the request records go? Into one file of JSON lines for each day, written by a thread of its own."""

import logging
import queue
from collections.abc import Iterator
from logging.handlers import QueueListener, TimedRotatingFileHandler
from pathlib import Path

from speech_server.core.requests.request_stats import RequestRecord, parse_line

_MOST_WAITING = 10_000
"""Lines the disk may be behind; beyond that lines are dropped and counted, and no request waits."""


class RequestLog:
    """The log of one server. `note` never blocks; `close` writes what is left."""

    def __init__(self, path: Path, days: int) -> None:
        """Appends to `path`; at midnight UTC it becomes `path`.YYYY-MM-DD, of which `days` are kept. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        file = TimedRotatingFileHandler(path, when="midnight", backupCount=days, utc=True, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(message)s"))
        self._waiting: queue.Queue[logging.LogRecord] = queue.Queue(_MOST_WAITING)
        self._file = file
        self._writer = QueueListener(self._waiting, file)
        self._writer.start()
        self.dropped = 0

    def note(self, record: RequestRecord) -> None:
        """Write the record, soon."""
        try:
            self._waiting.put_nowait(logging.makeLogRecord({"msg": record.line()}))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits, and end."""
        self._writer.stop()
        self._file.close()


def read(path: Path) -> Iterator[RequestRecord]:
    """The records of today's file and of those kept beside it, in no certain order. Raises OSError."""
    for file in (path, *sorted(path.parent.glob(f"{path.name}.*"))):
        with file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                record = parse_line(line)
                if record is not None:
                    yield record
