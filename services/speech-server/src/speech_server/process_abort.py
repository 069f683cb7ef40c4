"""How does a process end while a download runs? At once: the hub's client downloads on threads that nobody can stop.

What came lies in files that the next pull goes on with, and the list of a whole model is written last.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_SHOW_CURSOR = "\x1b[?25h"


def leave(sentence: str, number: int) -> NoReturn:
    """End this process now, as one that signal `number` ended: no thread is waited for, nothing is cleaned up."""
    sys.stdout.flush()
    sys.stderr.flush()
    # Past sys.stderr: a progress bar stands in its place, and has hidden the cursor.
    os.write(2, f"{_SHOW_CURSOR if os.isatty(2) else ''}\n{sentence}\n".encode())
    os._exit(128 + number)


@contextmanager
def stop_at_once(sentence: str) -> Iterator[None]:
    """Inside the block Ctrl-C ends the process. For the main thread."""

    def stop(number: int, frame: FrameType | None) -> None:
        leave(sentence, number)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
