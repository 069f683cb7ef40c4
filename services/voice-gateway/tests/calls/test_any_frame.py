"""Whatever a WebSocket's frames hold, it ends with a close code that no bug makes, and nobody else hears of it."""

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest
from any_message import EXAMPLES, Running, messages
from google.protobuf.json_format import MessageToJson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab import Lab
from raw_caller import Caller
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["seq", "ack", "start", "x"]), inner),
    max_leaves=6,
)
_NO_JSON = [
    "",
    "{",
    "[" * 3_000,
    '{"a":' * 3_000,
    '{"seq":1e999}',
    '{"audio":{"data":"=="}}',
    '{"text":{"text":"\\ud800"}}',
]
_FRAMES = st.one_of(
    messages().map(lambda message: MessageToJson(message)),
    messages().map(lambda message: message.SerializeToString()),
    st.binary(max_size=60),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    _JSON.map(lambda value: str(value).replace("'", '"').replace("None", "null").replace("True", "true")),
    st.sampled_from(_NO_JSON),
)
_START = '{"seq": 1, "start": {}}'
_GOOD_ENDS = {1000, 1002, 1007, 1009, *(4000 + code for code in (3, 5, 7, 8, 10, 12, 14))}
"""1002, 1007: what aiohttp itself answers to frames that break RFC 6455."""


@settings(
    max_examples=EXAMPLES or 50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(form=st.sampled_from(["json", "proto"]), begins=st.booleans(), frames=st.lists(_FRAMES, min_size=1, max_size=6))
def test_any_frame_gets_an_answer_or_a_close_code(
    form: str, begins: bool, frames: list[str | bytes], running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    start = _START if form == "json" else pb.ClientMessage(seq=1, start=pb.SessionStart()).SerializeToString()
    code = running.loop.run_until_complete(tried(running.there, form, [*([start] if begins else []), *frames]))
    assert code in _GOOD_ENDS
    broken = [record for record in caplog.records if record.exc_info and record.name.startswith("voice_gateway")]
    assert not broken, broken[0].getMessage()


async def tried(there: Lab, form: str, frames: list[str | bytes]) -> int | None:
    """The close code of a WebSocket that sends these frames, and then closes."""
    url = f"http://127.0.0.1:{there.web_port}/v1/converse"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, protocols=[f"voice_workflow.v1.{form}"]) as websocket,
        asyncio.timeout(LIMIT_S),
    ):
        try:
            for frame in frames:
                await (websocket.send_str(frame) if isinstance(frame, str) else websocket.send_bytes(frame))
            await (websocket.send_str('{"end":{}}') if form == "json" else websocket.send_bytes(b"\x92\x01\x00"))
        except ConnectionError:
            pass  # refused before all was sent
        async for _ in websocket:
            pass
        return websocket.close_code


@pytest.fixture
def running() -> Iterator[Running]:
    """A gateway with somebody else's call; at the end that call is answered, and nothing else is left."""
    found = Running()
    neighbour = found.loop.run_until_complete(found.there.call())
    yield found
    found.loop.run_until_complete(_answered(neighbour))
    found.end()


async def _answered(neighbour: Caller) -> None:
    await neighbour.type("Still there?")
    await neighbour.turn(pb.TurnEvent.REPLY_ENDED, 1)
    await neighbour.hang_up()
