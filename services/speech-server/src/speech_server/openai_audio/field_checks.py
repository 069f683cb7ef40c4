"""What can be wrong with a field? OpenAI's codes for it: unknown, missing, of another type, of another value."""

import math
from collections.abc import Collection, Iterable
from typing import Any

from speech_server.core.requests.error_text import cut, shown
from speech_server.openai_audio.errors import BadParameter

UNKNOWN, MISSING, TYPE = "unknown_parameter", "missing_required_parameter", "invalid_type"


def only(sent: Iterable[str], known: Collection[str], where: str = "") -> None:
    """Raises BadParameter for the first name that isn't known."""
    for name in sent:
        if name not in known:
            path = f"{where}.{cut(name)}" if where else cut(name)
            raise BadParameter(f"Unknown parameter: {path!r}; send only {', '.join(sorted(known))}.", path, UNKNOWN)


def object_of(sent: Any, path: str) -> dict[str, Any]:
    """The object. Raises BadParameter for anything else."""
    if not isinstance(sent, dict):
        raise BadParameter(f"{path} takes an object, not {_kind(sent)}.", path, TYPE)
    return sent


def text_of(sent: Any, path: str, *, may_be_empty: bool = False) -> str:
    """The text. Raises BadParameter for anything else, and for an empty one."""
    if not isinstance(sent, str):
        raise BadParameter(f"{path} takes a string, not {_kind(sent)}.", path, TYPE)
    if not sent.strip() and not may_be_empty:
        raise BadParameter(f"{path} is empty; send a value, or leave it out.", path)
    if any("\ud800" <= character <= "\udfff" for character in sent):
        raise BadParameter(f"{path} has half a character (a lone surrogate); send whole Unicode characters.", path)
    return sent


def number_of(sent: Any, path: str, lowest: float, highest: float) -> float:
    """The number. Raises BadParameter for anything else, and for one out of the range."""
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        raise BadParameter(f"{path} takes a number from {lowest:g} to {highest:g}, not {_kind(sent)}.", path, TYPE)
    if not math.isfinite(sent) or not lowest <= sent <= highest:
        raise BadParameter(f"{path} is {shown(sent)}; send {lowest:g} to {highest:g}.", path)
    return float(sent)


def written_number(sent: str, path: str, lowest: float, highest: float) -> float:
    """The number that a form's field holds. Raises BadParameter."""
    try:
        number = float(sent)
    except ValueError:
        raise BadParameter(
            f"{path} takes a number from {lowest:g} to {highest:g}, not {shown(sent)}.", path, TYPE
        ) from None
    return number_of(number, path, lowest, highest)


def one_of(sent: Any, path: str, known: Collection[str]) -> str:
    """One of these texts. Raises BadParameter for anything else."""
    if not isinstance(sent, str):
        raise BadParameter(f"{path} takes a string, not {_kind(sent)}.", path, TYPE)
    if sent not in known:
        raise BadParameter(f"{path} {shown(sent)} is not served; send one of {', '.join(known)}.", path)
    return sent


def _kind(sent: Any) -> str:
    """In JSON's words."""
    match sent:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
    return "an object"
