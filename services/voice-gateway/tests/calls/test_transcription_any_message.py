"""Whatever a transcription client sends, it gets an answer, and nothing of it is left. One gateway for all examples.

EXAMPLES=60000 in the environment tries more of them: with three messages each about 200,000.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab import lab
from transcriber import PATH
from voice_gateway.edges.transcribe_ws.client_messages import StreamOptions
from waiting import LIMIT_S

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.none(), max_size=2),
)
NAMES = st.sampled_from([*StreamOptions.model_fields, "type", "audio", "seq", "\x00"])
TYPES = st.sampled_from(["start", "audio", "flush", "end", "ended", "", "START"])
OBJECTS = st.builds(lambda type_, rest: {**rest, "type": type_}, TYPES, st.dictionaries(NAMES, VALUES, max_size=3))
MESSAGES = st.one_of(
    OBJECTS.map(json.dumps),
    VALUES.map(json.dumps),
    st.text(max_size=40),
    st.binary(max_size=80),
    st.just('{"type": "flush"}'),
)


class Serving:
    """A gateway on a loop that goes on between examples."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._lab = lab(then_works=False, gateway_start_timeout_s=5, asr_outage_s=0.1)
        self.there = self.loop.run_until_complete(self._lab.__aenter__())

    def end(self) -> None:
        """Nothing is left."""
        self.loop.run_until_complete(self._lab.__aexit__(None, None, None))
        self.loop.close()

    async def tried(self, messages: list[str | bytes]) -> None:
        """Send them all and the end; the gateway closes with a code that no bug makes, or the stream ends well."""
        # Recognition closes its streams by itself once their audio is over.
        closing = asyncio.create_task(self._close_streams())
        async with aiohttp.ClientSession() as http:
            socket = await http.ws_connect(f"http://127.0.0.1:{self.there.web_port}{PATH}")
            told = []
            with suppress(ConnectionError):
                for message in messages:
                    await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
                await socket.send_str('{"type": "end"}')
            async with asyncio.timeout(LIMIT_S):
                async for answer in socket:
                    told.append(json.loads(answer.data))
            assert told, "a word before the close"
            assert told[-1]["type"] in ("error", "ended")
            assert socket.close_code in (1000, 1008, 1013)
            assert all(len(one["message"].split()) > 3 for one in told if one["type"] in ("error", "warning"))
        closing.cancel()

    async def _close_streams(self) -> None:
        recognition, n = self.there.asr, len(self.there.asr.listened) + 1
        stream = await recognition.stream(n)
        await stream.all_sent()
        stream.close()


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """At the end no task and no session is left."""
    found = Serving()
    yield found
    found.end()


@settings(
    max_examples=int(os.environ.get("EXAMPLES", "150")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(messages=st.lists(MESSAGES, max_size=5), begins=st.booleans())
def test_any_message_gets_an_answer(
    messages: list[str | bytes], begins: bool, serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    start = ['{"type": "start"}'] if begins else []
    serving.loop.run_until_complete(serving.tried([*start, *messages]))
    assert not [record.getMessage() for record in caplog.records if record.exc_info]
