"""How are played scenarios shown on a terminal? A line for each, and of each that failed what is wrong."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from voice_bench.evals.suite import PlayedFile


def show(played: Sequence[PlayedFile], *, moments: bool = False) -> None:
    """Write it to standard output; with `moments`, all that happened in each call that failed."""
    console = Console(highlight=False)
    if not console.is_terminal:  # a file has no width; tables need room
        console = Console(highlight=False, width=160)
    table = Table(box=None, pad_edge=False)
    for column, justify in (("scenario", "left"), ("what it is about", "left"), ("call", "right"), ("", "left")):
        table.add_column(column, justify="right" if justify == "right" else "left")
    for one in played:
        verdict = Text("failed", style="bold red") if one.mistakes else Text("ok", style="green")
        length = f"{one.call.seconds:.1f} s" if one.call else "-"
        table.add_row(Text(one.name), Text(one.scenario.title), length, verdict)
    console.print(table)
    failed = [one for one in played if one.mistakes]
    for one in failed:
        _show_failed(console, one, moments=moments)
    calls_s = sum(one.call.seconds for one in played if one.call)
    took_s = sum(one.took_s for one in played)
    summary = f"{len(played)} scenarios, {len(failed)} failed; {calls_s:.0f} s of calls in {took_s:.1f} s"
    console.print(summary, style="bold red" if failed else "green")


def _show_failed(console: Console, one: PlayedFile, *, moments: bool) -> None:
    console.print()
    console.print(Text(f"{one.file}: {one.scenario.title}", style="bold"))
    for mistake in one.mistakes:
        console.print(Text(f"  - {mistake}", style="red"))
    if moments and one.call:
        for moment in one.call.moments:
            console.print(Text(f"      {moment}", style="dim"))
