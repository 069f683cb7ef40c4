"""How is a result shown? As tables for people, or as JSON; the same content."""

import json
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from voice_bench.measure import host_info
from voice_bench.measure.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Rows:
    """One table."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a measurement found."""

    name: str
    tables: tuple[Rows, ...]
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=host_info.facts)
    command: str = field(default_factory=host_info.command)

    @property
    def met(self) -> bool:
        """Was every target met?"""
        return all(verdict.met for verdict in self.verdicts)


def as_json(report: Report) -> str:
    """Everything, for programs."""
    content: dict[str, Any] = asdict(report) | {"met": report.met}
    return json.dumps(content, indent=2)


def show(report: Report, *, json_wanted: bool) -> None:
    """Write it to standard output."""
    if json_wanted:
        sys.stdout.write(as_json(report) + "\n")
        return
    console = Console()
    if not console.is_terminal:  # a file has no width; tables need room
        console = Console(width=160)
    console.print(f"[bold]{report.name}[/bold]")
    for name, fact in report.facts.items():
        console.print(f"  {name}: {fact}", style="dim", highlight=False)
    for rows in report.tables:
        console.print(_table(rows))
    for note in report.notes:
        console.print(f"  {note}", highlight=False, markup=False)
    for verdict in report.verdicts:
        console.print(f"  {verdict}", style="green" if verdict.met else "bold red", highlight=False, markup=False)
    console.print(f"  again: {report.command}", style="dim", highlight=False, markup=False)


def _table(rows: Rows) -> Table:
    table = Table(title=rows.title, title_justify="left")
    for number, column in enumerate(rows.columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows.rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: str | float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
