"""Every event a client may send has its effect or its error, and the table in the document says which."""

from collections.abc import AsyncIterator
from typing import get_args

import pytest
import pytest_asyncio
from lab import Lab, lab
from openai.types.realtime import RealtimeClientEvent
from realtime_cases import ROWS, Row
from realtime_client import RealtimeClient
from voice_gateway.edges.realtime.client_events import TYPES


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there() -> AsyncIterator[Lab]:
    """One gateway for all cases."""
    async with lab(then_works=False) as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.case.__name__)
async def test_an_event_has_its_effect_or_its_error(there: Lab, row: Row) -> None:
    client = await RealtimeClient.connect(there.web_port, "?model=gpt-realtime")
    try:
        await client.update(audio={"input": {"turn_detection": None}})
        streams = len(there.asr.listened)
        await client.send("input_audio_buffer.clear")
        await client.expect("input_audio_buffer.cleared")
        await there.asr.stream(streams + 1)
        client.events.clear()
        await row.case(there, client)
    finally:
        await client.close()
        there.llm.answers.clear()


def test_every_event_of_the_public_schema_has_a_case() -> None:
    public = {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(RealtimeClientEvent)[0])}
    assert public == set(TYPES)
    assert {row.event for row in ROWS} == public | {"anything else"}
