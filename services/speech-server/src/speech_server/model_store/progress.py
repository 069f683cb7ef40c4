"""How far is a download? Looked up in its folder: a bar in a terminal, a line now and then in a log."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

BAR_EVERY_S = 0.5
LINE_EVERY_S = 10.0
_log = logging.getLogger(__name__)


@contextmanager
def shown(
    name: str, folder: Path, total_bytes: int, console: Console | None = None, every_s: float | None = None
) -> Iterator[None]:
    """Show, until the block ends, how many of `total_bytes` lie in the folder, whatever their files are called.

    `console`: standard error unless given; `every_s`: how often, unless as usual there.
    """
    console = console or Console(stderr=True)
    if console.is_terminal:
        with _bar(name, total_bytes, console) as tell:
            with _telling(folder, tell, every_s or BAR_EVERY_S):
                yield
            tell(total_bytes)
    else:
        _log.info("fetching %s, %.1f MB, into %s", name, total_bytes / 1e6, folder)
        with _telling(folder, _line(name, total_bytes), every_s or LINE_EVERY_S):
            yield
        _log.info("fetched %s", name)


@contextmanager
def _bar(name: str, total_bytes: int, console: Console) -> Iterator[Callable[[int], None]]:
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(name, total=total_bytes)

        def tell(done_bytes: int) -> None:
            progress.update(task, completed=min(done_bytes, total_bytes))

        yield tell


def _line(name: str, total_bytes: int) -> Callable[[int], None]:
    def tell(done_bytes: int) -> None:
        done_bytes = min(done_bytes, total_bytes)
        part = 100 * done_bytes / max(1, total_bytes)
        _log.info("fetching %s: %.1f of %.1f MB (%.0f %%)", name, done_bytes / 1e6, total_bytes / 1e6, part)

    return tell


@contextmanager
def _telling(folder: Path, tell: Callable[[int], None], every_s: float) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        while not over.wait(every_s):
            tell(_size_bytes(folder))

    # A daemon: a process that is told to end does not wait for it.
    thread = threading.Thread(target=look, name="download progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _size_bytes(folder: Path) -> int:
    return sum(_sizes([*folder.rglob("*")]))


def _sizes(paths: Sequence[Path]) -> Iterator[int]:
    for path in paths:
        try:
            yield path.stat().st_size if path.is_file() else 0
        except OSError:  # renamed meanwhile
            continue
