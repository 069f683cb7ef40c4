"""Whatever a caller's fields hold, it gets an answer or a status, never a traceback, and the next call is served."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import grpc
import pytest
from any_message import EXAMPLES, FIELDS, Running, messages
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab import Lab
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

_END = pb.ClientMessage(end=pb.SessionEnd()).SerializeToString()
_METHOD = "/voice_workflow.v1.VoiceGateway/Converse"


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
    max_examples=EXAMPLES or 60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=messages(), later=st.lists(st.one_of(messages().map(_raw), st.binary(max_size=60)), max_size=4))
def test_any_message_gets_an_answer_or_a_status(
    first: pb.ClientMessage, later: list[bytes], running: Running, caplog: pytest.LogCaptureFixture
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


@pytest.fixture
def running() -> Iterator[Running]:
    """A gateway; at the end it must still serve."""
    found = Running()
    yield found
    found.end()
