"""What do these files say now? Read again when they change; what is bad or half-written changes nothing.

Issuers of certificates and the kubelet replace files while the server runs. They are looked at whenever their content
is used, which costs a `stat` of each.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.1

Content = TypeVar("Content")
Stamp = tuple[tuple[int, int, int] | None, ...]


class BadFiles(Exception):
    """The files can't be used; the sentence names them."""


class RenewedFiles(Generic[Content]):
    """What `read` makes of some files: always a whole that fits. From any thread."""

    def __init__(
        self, files: Sequence[Path], read: Callable[[], Content], what: str, *, start_within_s: float = 0.0
    ) -> None:
        """`read` raises BadFiles, and so does this; a start in the middle of a renewal may wait for files that fit.
        `what` is for the log."""
        self._files = files
        self._read = read
        self._what = what
        self._lock = threading.Lock()
        self._seen, self._content = _at_start(files, read, start_within_s)

    @property
    def content(self) -> Content:
        """The newest that fits."""
        with self._lock:
            self._look()
            return self._content

    def _look(self) -> None:
        seen = _stamp(self._files)
        if seen == self._seen or None in seen:
            return  # None: in the middle of being replaced, the next use looks again
        try:
            content = self._read()
        except BadFiles as error:
            log.warning("%s stays as it is: %s", self._what, error)
        else:
            self._content = content
            log.info("%s was renewed and is used from now on", self._what)
        self._seen = seen


def _at_start(files: Sequence[Path], read: Callable[[], Content], within_s: float) -> tuple[Stamp, Content]:
    until = time.monotonic() + within_s
    while True:
        try:
            return _stamp(files), read()
        except BadFiles:
            if time.monotonic() >= until:
                raise
        time.sleep(_LOOK_EVERY_S)


def _stamp(files: Sequence[Path]) -> Stamp:
    return tuple(_stamp_of(file) for file in files)


def _stamp_of(file: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced or written; None = there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
