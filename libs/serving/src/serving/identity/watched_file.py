"""What stands in a file that an operator may replace while the server runs? Looked at often, read when it changed.

A file that is gone later, or holds what can't be used, changes nothing: what was read last stays, with one warning.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_MAX_BYTES = 1024 * 1024


class BadFile(OSError):
    """The file can't be used; the sentence names it."""


class WatchedFile(Generic[_T]):
    """What `parse` makes of a file. `parse` raises ValueError with the end of a sentence that begins with the file."""

    def __init__(self, file: Path, parse: Callable[[bytes], _T], what: str) -> None:
        """`what` is read from it, such as "keys of client secrets". Raises BadFile when it can't be used now."""
        self._file = file
        self._parse = parse
        self._what = what
        self._trouble = ""
        self._seen = _stamp(file)
        self.content = self._read()

    def look(self) -> None:
        """Accept what stands in the file now."""
        seen = _stamp(self._file)
        if seen == self._seen:
            return
        try:
            content = self._read()
        except BadFile as error:
            if str(error) != self._trouble:
                log.warning("the %s stay as they are: %s", self._what, error)
            self._trouble = str(error)
            return
        self._seen, self._trouble = seen, ""
        if content != self.content:
            self.content = content
            log.info("the %s were read again and hold from now on", self._what)

    def _read(self) -> _T:
        try:
            with self._file.open("rb") as opened:
                return self._parse(opened.read(_MAX_BYTES + 1))
        except OSError as error:
            raise BadFile(f"{self._file} can't be read ({error.strerror or error})") from None
        except ValueError as error:
            raise BadFile(f"{self._file} {error}") from None


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced or written; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
