"""How is shown what another policy makes of recorded calls? A line for each turn that changes, and the sum of it."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from voice_bench.evals.replaying import TurnDifference

_WORDS = 48


def show(calls: Mapping[str, Sequence[TurnDifference]]) -> None:
    """Write it to standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=140)
    table = Table(box=None, pad_edge=False)
    for column in ("call", "turn", "ended at", "would end at", "won", ""):
        table.add_column(column, justify="left" if column in ("call", "turn", "") else "right")
    for name, turns in calls.items():
        for turn in turns:
            if turn.kind != "same":
                won = f"{turn.won_s:+.2f} s" if turn.was is not None and turn.now is not None else ""
                table.add_row(Text(name), Text(_short(turn.words)), _at(turn.was), _at(turn.now), won, turn.kind)
    console.print(table)
    console.print(summary([turn for turns in calls.values() for turn in turns], len(calls)))


def summary(turns: Sequence[TurnDifference], calls: int) -> str:
    """One line."""
    kinds = Counter(turn.kind for turn in turns)
    total = sum(turn.was is not None for turn in turns)
    won = sum(turn.won_s for turn in turns)
    changes = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()) if kind != "same")
    word = "won" if won >= 0 else "lost"
    return f"{total} turns of {calls} calls: {changes or 'nothing changes'}; {abs(won):.2f} s {word} in all"


def _at(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f} s"


def _short(words: str) -> str:
    return words if len(words) <= _WORDS else f"{words[: _WORDS - 1]}…"
