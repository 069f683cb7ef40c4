"""Write the table of the Realtime protocol's client events into docs/realtime.md, from the tests that try each of them.

python scripts/realtime_table.py [--check]
"""

import argparse
import importlib
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "services" / "voice-gateway" / "tests"
DOCUMENT = ROOT / "docs" / "realtime.md"
BEGIN, END = "<!-- event table: begin -->", "<!-- event table: end -->"


def table() -> str:
    """The rows, event by event; each names the test that tries it."""
    sys.path += [str(TESTS / folder) for folder in ("realtime", "calls")]
    cases = importlib.import_module("realtime_cases")
    lines = ["| event | with | what comes of it | test |", "|---|---|---|---|"]
    for event, rows in groupby(cases.ROWS, key=lambda row: row.event):
        for number, row in enumerate(rows):
            name = "" if number else (f"`{event}`" if "." in event else event)
            lines.append(f"| {name} | {row.sent} | {row.effect} | `{row.case.__name__}` |")
    return "\n".join(lines)


def renewed(document: str) -> str:
    """The document with the table of now. Raises ValueError where it has no place for one."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/realtime.md has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Write the table of client events into docs/realtime.md.")
    parser.add_argument("--check", action="store_true", help="only say whether it is stale")
    check = parser.parse_args(arguments).check
    old = DOCUMENT.read_text(encoding="utf-8")
    new = renewed(old)
    if old == new:
        return 0
    if check:
        sys.stderr.write("docs/realtime.md is stale: run `python scripts/realtime_table.py`\n")
        return 1
    DOCUMENT.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
