"""How are the machine's state, facts and policy written as JSON, and read again? One codec for turn log and snapshot.

Floats are written so that they read back the same, infinity as the text "inf". Example: `Idle(Call(2), 1.5)` is
{"is": "Idle", "call": {"replies": 2, ...}, "since": 1.5, "open": ""}.
"""

from dataclasses import MISSING, Field, fields
from enum import Enum
from math import isfinite
from typing import Any, TypeVar, get_type_hints

from voice_gateway.core.turn_states import Call, Ended, Hearing, Idle, Overlap, Pausing, Speaking, State, Thinking

STATES: tuple[type[State], ...] = (Idle, Hearing, Pausing, Thinking, Speaking, Overlap, Ended)

T = TypeVar("T")


class Unreadable(ValueError):
    """A value is not what this codec writes; the text says why."""


def pack_state(state: State) -> dict[str, Any]:
    """A state, with its name under "is"."""
    return pack_named("is", state)


def unpack_state(raw: Any) -> State:
    """What `pack_state` was given. Raises `Unreadable`."""
    return unpack_named(raw, "is", STATES)


def pack(value: Any) -> dict[str, Any]:
    """A frozen dataclass of the machine."""
    packed = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: pack(item) if isinstance(item, Call) else pack_number(item) for name, item in packed.items()}


def pack_named(key: str, value: Any) -> dict[str, Any]:
    """The same, with its name under `key`."""
    return {key: type(value).__name__, **pack(value)}


def pack_number(value: Any) -> Any:
    """Infinity as text: JSON has no word for it; one of several words as that word."""
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def unpack_named(raw: Any, key: str, kinds: tuple[type[T], ...]) -> T:
    """The value that `pack_named` packed. Raises `Unreadable`."""
    if not isinstance(raw, dict):
        raise Unreadable(f"an object with {key!r} is missing")
    name = raw.get(key)
    kind = next((kind for kind in kinds if kind.__name__ == name), None)
    if kind is None:
        raise Unreadable(f"{key} is {name!r}, not one of {', '.join(kind.__name__ for kind in kinds)}")
    return unpack({field: item for field, item in raw.items() if field != key}, kind)


def unpack(raw: Any, kind: type[T]) -> T:
    """The dataclass that `pack` took apart; a field with a default may be missing. Raises `Unreadable`."""
    if not isinstance(raw, dict):
        raise Unreadable(f"the fields of {kind.__name__} are missing")
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if strange := sorted(raw.keys() - known.keys()):
        raise Unreadable(f"{kind.__name__} has no field {', '.join(strange)}")
    if missing := sorted(name for name, field in known.items() if field.default is MISSING and name not in raw):
        raise Unreadable(f"{kind.__name__} lacks {', '.join(missing)}")
    hints = get_type_hints(kind)
    return kind(**{name: unpack_field(item, hints[name], name) for name, item in raw.items()})


def unpack_field(item: Any, hint: Any, name: str) -> Any:
    """One field, of the type that it must have. Raises `Unreadable`."""
    if hint is Call:
        return unpack(item, Call)
    if isinstance(hint, type) and issubclass(hint, Enum):
        known = {word.value: word for word in hint}
        if type(item) is str and item in known:
            return known[item]
        raise Unreadable(f"{name} is {item!r}, not one of {', '.join(known)}")
    if item is None and hint in (int | None, float | None):
        return None
    if hint in (float, float | None):
        if item in ("inf", "-inf"):
            return float(item)
        if (type(item) is int and abs(item) < 2**53) or (type(item) is float and item == item):
            return float(item)
    elif type(item) is (int if hint == int | None else hint):
        return item
    raise Unreadable(f"{name} is {item!r}, not {getattr(hint, '__name__', hint)}")
