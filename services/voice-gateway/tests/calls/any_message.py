"""What may a caller send? Anything: strategies for every field of the contract, and a gateway to send it to."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st
from lab import lab
from voice_workflow.v1 import voice_workflow_pb2 as pb

EXAMPLES = int(os.environ.get("ANY_MESSAGE_EXAMPLES", "0"))
"""Instead of a few, for a night: each is several messages. 0 = each test's own."""

_TEXTS = st.one_of(
    st.sampled_from(["", " ", "\x00", "\x92", "\u2028", "\N{GRINNING FACE}", "en-US", "x" * 129, "x" * 17_000, "${x}"]),
    st.text(max_size=20).filter(lambda text: text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)),
)
_BYTES = st.sampled_from([b"", b"x", bytes(2), bytes(640), bytes(32_000), bytes(32_002), bytes(100_000), b"RIFF" * 40])


def _whole(bits: int, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.one_of(st.sampled_from([low, low + 1, 0, 1, 2, 16_000, high - 1, high]), st.integers(low, high))


def _reals(width: int) -> st.SearchStrategy[float]:
    return st.one_of(
        st.sampled_from([0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan")]),
        st.floats(width=32 if width == 32 else 64),
    )


_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_INT32: _whole(32, True),
    FieldDescriptor.CPPTYPE_INT64: _whole(64, True),
    FieldDescriptor.CPPTYPE_UINT32: _whole(32, False),
    FieldDescriptor.CPPTYPE_UINT64: _whole(64, False),
    FieldDescriptor.CPPTYPE_ENUM: st.sampled_from([0, 1, 2, 3, 4, 5, 99, -1, 2**31 - 1]),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_FLOAT: _reals(32),
    FieldDescriptor.CPPTYPE_DOUBLE: _reals(64),
}


def leaves(message: Descriptor, path: tuple[FieldDescriptor, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    """Every field that holds a value, as the way there from `message`."""
    for field in message.fields:
        inner = field.message_type
        if inner is None or inner.GetOptions().map_entry or inner.file.name.startswith("google/") or not inner.fields:
            yield (*path, field)
        else:
            yield from leaves(inner, (*path, field))


FIELDS = [path for path in leaves(pb.ClientMessage.DESCRIPTOR) if path[0].name not in ("seq", "ack")]


@st.composite
def messages(draw: st.DrawFn) -> pb.ClientMessage:
    """A message with one to three of its fields set to anything, and any numbers."""
    found = pb.ClientMessage()
    path = draw(st.sampled_from(FIELDS))
    for way in (path, *draw(st.lists(st.sampled_from(FIELDS), max_size=2))):
        if way[0] == path[0]:
            _set(draw, found, way)
    if draw(st.booleans()):
        found.seq, found.ack = draw(_whole(64, False)), draw(_whole(64, False))
    return found


def _set(draw: st.DrawFn, message: Any, path: tuple[FieldDescriptor, ...]) -> None:
    for field in path[:-1]:
        many = field.is_repeated
        message = getattr(message, field.name).add() if many else getattr(message, field.name)
        message.SetInParent()
    last = path[-1]
    if last.message_type is not None and last.message_type.GetOptions().map_entry:
        for key, value in draw(st.dictionaries(_TEXTS, _TEXTS, max_size=40)).items():
            getattr(message, last.name)[key] = value
    elif last.message_type is not None:
        inner = getattr(message, last.name)
        (inner.add() if last.is_repeated else inner).SetInParent()
    else:
        setattr(message, last.name, draw(_value(last)))


def _value(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _BYTES if field.type == FieldDescriptor.TYPE_BYTES else _TEXTS
    return _SCALARS[field.cpp_type]


class Running:
    """One gateway for all examples, on a loop that goes on between them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._lab = lab(gateway_resume_grace_s=0.05)
        self.there = self.loop.run_until_complete(self._lab.__aenter__())

    def end(self) -> None:
        """Nothing is left, and another call works."""
        self.loop.run_until_complete(self._lab.__aexit__(None, None, None))
        self.loop.close()
