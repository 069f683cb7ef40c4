"""Whatever a caller's fields hold, it gets an answer or a status, never a traceback, and the next call is served."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab import Lab, lab
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

_END = pb.ClientMessage(end=pb.SessionEnd()).SerializeToString()
_METHOD = "/voice_workflow.v1.VoiceGateway/Converse"
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


def _is_the_gateways(record: logging.LogRecord) -> bool:
    """Not of the fake backends, whose calls are cancelled as they begin."""
    return record.name.startswith(("voice_gateway", "asyncio")) or "VoiceGateway" in record.getMessage()


def _raw(message: pb.ClientMessage) -> bytes:
    return message.SerializeToString()


def test_every_field_of_the_contract_is_tried() -> None:
    names = {".".join(field.name for field in path) for path in FIELDS}
    assert {"start.hotwords.boost", "start.metadata", "start.resume.token", "update.endpointing.max_turn_s"} <= names
    assert {"audio.first_sample", "playout.input_sample", "text.text", "commit", "interrupt", "end"} <= names
    assert len(FIELDS) > 50


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=messages(), later=st.lists(st.one_of(messages().map(_raw), st.binary(max_size=60)), max_size=4))
def test_any_message_gets_an_answer_or_a_status(
    first: pb.ClientMessage, later: list[bytes], running: "Running", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    running.loop.run_until_complete(tried(running.there, first.SerializeToString(), later))
    start = pb.ClientMessage(start=pb.SessionStart()).SerializeToString()
    running.loop.run_until_complete(tried(running.there, start, [first.SerializeToString(), *later]))
    assert not [
        (record.getMessage(), record.exc_info)
        for record in caplog.records
        if (record.exc_info or "Traceback" in record.getMessage()) and _is_the_gateways(record)
    ]


async def tried(there: Lab, first: bytes, later: list[bytes]) -> None:
    """A stream of these messages and a SessionEnd ends with a status that no bug makes."""
    channel: Any = there.caller(reads=False).channel
    call = channel.stream_stream(_METHOD)()
    with suppress(grpc.aio.BaseError, grpc.RpcError, asyncio.InvalidStateError):
        for message in (first, *later, _END):
            await call.write(message)
    async with asyncio.timeout(LIMIT_S):
        with suppress(grpc.RpcError):
            while await call.read() is not grpc.aio.EOF:
                pass
        code, sentence = await call.code(), await call.details()
    # INTERNAL is what the caller's own gRPC says when a status overtakes what it still writes.
    assert code is not grpc.StatusCode.UNKNOWN, sentence
    assert code is not grpc.StatusCode.INTERNAL or sentence == "Internal error from Core"
    assert code is grpc.StatusCode.OK or len(sentence.split()) > 3
    await there.callers.pop().close()


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


@pytest.fixture
def running() -> Iterator[Running]:
    """A gateway; at the end it must still serve."""
    found = Running()
    yield found
    found.end()
