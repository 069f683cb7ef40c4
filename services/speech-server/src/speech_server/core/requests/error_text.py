"""How much of a caller's text may stand in what the server says? Little: it travels in trailers, and into logs."""

from collections.abc import Sequence

SHOWN = 60
"""Characters of a caller's value that a sentence repeats."""
LONGEST_BYTES = 1000
"""Of a sentence as it travels: gRPC writes what is not printable ASCII as %XX, three bytes for one."""
_CUT = "..."
_MOST_NAMED = 8


def cut(text: str) -> str:
    """The beginning of a caller's text."""
    return text if len(text) <= SHOWN else text[:SHOWN] + _CUT


def shown(value: object) -> str:
    """A caller's value as a sentence repeats it: a text is quoted, of anything only the beginning."""
    if isinstance(value, str):
        return repr(value) if len(value) <= SHOWN else repr(value[:SHOWN]) + _CUT
    return cut(repr(value))


def named(names: Sequence[str]) -> str:
    """Names that a caller gave: "beam", "beam, topk", "beam, topk, … and 58 more"."""
    rest = len(names) - _MOST_NAMED
    return ", ".join(cut(name) for name in names[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def bounded(sentence: str, longest_bytes: int = LONGEST_BYTES) -> str:
    """One line that takes at most so many bytes as a status message."""
    line = " ".join(sentence.split())
    size = 0
    for kept, character in enumerate(line):
        size += 1 if " " <= character <= "~" and character != "%" else 3 * len(character.encode("utf-8", "replace"))
        if size > longest_bytes - len(_CUT):
            return line[:kept] + _CUT
    return line


def ascii_only(sentence: str, longest_bytes: int = LONGEST_BYTES) -> str:
    """A line for a header or trailer: printable ASCII, anything else would break the whole answer."""
    return bounded("".join(letter if " " <= letter <= "~" else "?" for letter in sentence).strip(), longest_bytes)
