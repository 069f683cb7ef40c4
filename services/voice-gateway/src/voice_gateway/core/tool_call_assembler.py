"""Which tools does a streamed answer call? Pieces of calls in, whole calls out.

By the wire's rules the pieces of a call share an index, id and name come with the first, arguments in pieces. Servers
differ: some send a call whole, some give every call index 0, or none an index or an id, some say the name with each
piece, some send the arguments as an object. What tells calls apart is, in this order: another id, another index, and
where a server gives neither, a name with arguments after a call that was complete.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from voice_gateway.core.tools import ToolCall, is_object

MAX_CALLS = 32
MAX_CHARS = 64 * 1024
"""Of all arguments of one answer."""
_ID = re.compile(r"[\x21-\x7e]{1,64}")


class TooMuch(Exception):
    """No answer calls so many tools, or with so many arguments."""


@dataclass(slots=True)
class _Open:
    """A call of which more may come."""

    index: object
    id: str
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ToolCallAssembler:
    """The calls of one answer. `make_id` names those that came without an id of their own."""

    def __init__(self, make_id: Callable[[], str]) -> None:
        self._make_id = make_id
        self._open: list[_Open] = []
        self._chars = 0

    def push(self, pieces: object) -> bool:
        """`delta.tool_calls` of a chunk; whether that brought anything. Raises TooMuch."""
        brought = False
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, Mapping):
                brought = self._add(piece) or brought
        return brought

    @property
    def calls(self) -> list[ToolCall]:
        """All of them, in the order in which they began; each with an id that no other has."""
        return list(self._whole())

    def _whole(self) -> Iterator[ToolCall]:
        taken: set[str] = set()
        for call in self._open:
            if not call.name and not call.arguments:
                continue
            id_ = call.id
            while not id_ or id_ in taken:
                id_ = self._make_id()
            call.id = id_
            taken.add(id_)
            yield ToolCall(id_, call.name, "".join(call.arguments) or "{}")

    def _add(self, piece: Mapping[str, Any]) -> bool:
        function = piece.get("function")
        function = function if isinstance(function, Mapping) else {}
        name, arguments = _text(function.get("name")), _arguments(function.get("arguments"))
        id_ = _text(piece.get("id"))
        call = self._call(piece.get("index"), id_ if _ID.fullmatch(id_) else "", name if arguments else "")
        if name and name != call.name:
            call.name += name
        if arguments:
            call.arguments.append(arguments)
        self._chars += len(name) + len(arguments)
        if self._chars > MAX_CHARS:
            raise TooMuch(f"tool calls of more than {MAX_CHARS} characters")
        return bool(name or arguments)

    def _call(self, index: object, id_: str, name: str) -> _Open:
        """The call that a piece belongs to: a new one, or the last of its index. `name`: of a piece with arguments."""
        found = self._same(index)
        if found is not None and id_ and found.id and id_ != found.id:
            found = next((call for call in self._open if call.id == id_), None)
        elif found is not None and name and not id_ and is_object("".join(found.arguments)):
            found = None  # it was complete, and nothing but a name tells the next one from it
        if found is None:
            if len(self._open) >= MAX_CALLS:
                raise TooMuch(f"more than {MAX_CALLS} tool calls")
            found = _Open(index, id_)
            self._open.append(found)
        found.id = found.id or id_
        return found

    def _same(self, index: object) -> _Open | None:
        """The call of an index; without one, the last."""
        calls = [call for call in self._open if index is None or call.index == index]
        return calls[-1] if calls else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: object) -> str:
    """A piece of JSON, or an object that is sent as it is."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else _text(value)
