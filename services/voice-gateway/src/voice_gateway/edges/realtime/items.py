"""Which items does the conversation have, as the client sees it? Their order, their words, and what they are in the
call's history."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from voice_gateway.edges.realtime.refusals import EventRefused, invalid

MAX_ITEMS = 1024
MAX_CHARS = 512 * 1024
"""Of all items together; the oldest are forgotten: the client is told so when it names one."""
Status: TypeAlias = Literal["completed", "incomplete", "in_progress"]
ContentType: TypeAlias = Literal["input_text", "input_audio", "output_text", "output_audio"]


def new_id(prefix: str) -> str:
    """An id that nobody can guess."""
    return f"{prefix}_{secrets.token_hex(10)}"


@dataclass(slots=True)
class Item:  # size: what any kind of item may hold
    """One item. What it is in the history: words or reply of exchange `n`, or entry `entry`."""

    id: str
    kind: Literal["message", "function_call", "function_call_output"] = "message"
    role: Literal["user", "assistant", "system"] = "user"
    content_type: ContentType = "input_text"
    text: str = ""
    """Of a message; the arguments of a function call; the output."""
    status: Status = "completed"
    n: int = 0
    entry: int = 0
    call_id: str = ""
    name: str = ""
    first_sample: int = 0
    """Of its audio, in its reply; at the wire's rate."""
    samples: int = 0
    """Of its audio, sent; at the wire's rate."""
    words_before: int = 0
    """Words of its reply that other items hold."""

    def shown(self) -> dict[str, Any]:
        """As the wire has it."""
        base = {"id": self.id, "object": "realtime.item", "type": self.kind, "status": self.status}
        if self.kind == "function_call":
            return {**base, "call_id": self.call_id, "name": self.name, "arguments": self.text}
        if self.kind == "function_call_output":
            return {**base, "call_id": self.call_id, "output": self.text}
        return {**base, "role": self.role, "content": self._content()}

    def _content(self) -> list[dict[str, Any]]:
        if self.role == "assistant" and self.status == "in_progress":
            return []
        field = "transcript" if self.content_type.endswith("audio") else "text"
        return [{"type": self.content_type, field: self.text}]


class Items:
    """The items of one conversation, in their order."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, Item] = OrderedDict()
        self._chars = 0

    @property
    def last_id(self) -> str | None:
        """The newest item; None = there is none."""
        return next(reversed(self._items), None)

    def add(self, item: Item) -> str | None:
        """Append an item; the id of the one before it."""
        previous = self.last_id
        self._items[item.id] = item
        self._chars += len(item.text)
        while len(self._items) > MAX_ITEMS or (self._chars > MAX_CHARS and len(self._items) > 1):
            self._chars -= len(self._items.popitem(last=False)[1].text)
        return previous

    def write(self, item: Item, text: str) -> None:
        """The item's words are others."""
        if item.id in self._items:
            self._chars += len(text) - len(item.text)
        item.text = text

    def named(self, item_id: str, param: str = "item_id") -> Item:
        """The item of this id. Raises EventRefused."""
        item = self._items.get(item_id)
        if item is None:
            raise EventRefused("item_not_found", f"there is no item {item_id[:64]!r}, or not any more", param)
        return item

    def check_new(self, item_id: str | None, previous: str | None) -> str:
        """The id of an item that comes at the end of the conversation. Raises EventRefused."""
        if item_id is not None and item_id in self._items:
            raise invalid("item.id", "there is an item of this id already; leave it out, or send another one")
        if previous not in (None, self.last_id) and not (previous == "root" and self.last_id is None):
            raise invalid("previous_item_id", "items are added at the end here; leave it out, or name the last item")
        return item_id or new_id("item")

    def remove(self, item: Item) -> None:
        """The item is deleted."""
        self._items.pop(item.id, None)
        self._chars -= len(item.text)

    def all(self) -> list[Item]:
        """In their order."""
        return list(self._items.values())

    def of_words(self, n: int) -> list[Item]:
        """The user's items whose words exchange `n` holds, in their order."""
        return [item for item in self._items.values() if item.role == "user" and item.n == n and not item.entry]

    def moved(self, n: int, to: int) -> None:
        """What exchange `n` held is in exchange `to` now: a reply that nobody heard was retracted."""
        for item in self.of_words(n):
            item.n = to

    def chars(self) -> int:
        """Characters of all items."""
        return self._chars
