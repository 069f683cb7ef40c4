"""What does the doctor say of one thing?"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    mark: Literal["ok", "note", "BAD"]
    """BAD: the server can't start so, or not do what it is set to. note: it can, but somebody should know."""
    what: str
    found: str
    advice: str = ""
    """What to do; empty = nothing."""


def ok(what: str, found: str, advice: str = "") -> Finding:
    """As it should be."""
    return Finding("ok", what, found, advice)


def note(what: str, found: str, advice: str = "") -> Finding:
    """Not in the way, but worth knowing."""
    return Finding("note", what, found, advice)


def bad(what: str, found: str, advice: str = "") -> Finding:
    """In the way."""
    return Finding("BAD", what, found, advice)
