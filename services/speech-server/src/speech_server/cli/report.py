"""`speech-server report`: how long did requests wait and take, and which failed? From the request log."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from json import dumps
from pathlib import Path

from rich.console import Console
from rich.table import Table

from speech_server.cli.verbs import CommandFailed
from speech_server.core.requests.request_stats import Percentiles, Window, report
from speech_server.request_log import read
from speech_server.settings import Settings


def main(arguments: Sequence[str]) -> int:
    """Print a row for each window and route. Raises CommandFailed, BadRequest, BadSettings, OSError."""
    parser = argparse.ArgumentParser(prog="speech-server report", description=__doc__)
    parser.add_argument("--windows", nargs="+", default=["30m", "1h", "24h"], help="such as 30m 1h 24h")
    parser.add_argument("--log", type=Path, help="the log; else what SPEECH_REQUEST_LOG names")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    given = parser.parse_args(arguments)
    path = given.log or Settings().requests.speech_request_log
    if path is None:
        raise CommandFailed("SPEECH_REQUEST_LOG names no file; set it for the server, then here or with --log.")
    rows = report(read(path), given.windows, time.time())
    if given.json:
        sys.stdout.write(dumps([asdict(row) for row in rows], indent=2) + "\n")
    else:
        _show(rows)
    return 0


def _show(rows: Sequence[Window]) -> None:
    console = Console()
    if not console.is_terminal:  # a file has no width; tables need room
        console = Console(width=180)
    table = Table(title="Requests; p50 / p95 in seconds", title_justify="left")
    columns = ("window", "route", "requests", "errors", "queue", "inference", "total", "audio s", "RTF", "failed with")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if 2 <= number <= 8 else "left")
    for row in rows:
        table.add_row(
            row.window,
            row.route,
            str(row.requests),
            str(row.errors),
            *(_both(one) for one in (row.queue, row.inference, row.total)),
            f"{row.audio_s:.0f}",
            f"{row.rtf:.3f}" if row.audio_s else "-",
            ", ".join(f"{status} {count}" for status, count in row.statuses) or "-",
        )
    console.print(table)


def _both(one: Percentiles) -> str:
    return f"{one.p50:.3f} / {one.p95:.3f}"
