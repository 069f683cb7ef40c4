"""Can an operator follow a call in the log, without reading what was said in it?"""

import logging
from typing import Any

import pytest
from fake_llm import Answer
from lab import lab
from voice_workflow.v1 import voice_workflow_pb2 as pb

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
LINES = "voice_gateway.session.call_log"


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.name == LINES]


async def test_a_call_a_turn_and_its_end_are_lines_with_session_trace_and_metadata(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with lab(then_works=False) as there:
        caller = there.caller(metadata=(("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),))
        started = await caller.start(metadata={"tenant": "acme"})
        await caller.type("my secret is twelve")
        await caller.turn(pb.TurnEvent.REPLY_ENDED)
        await caller.hang_up()
    found = lines(caplog)
    assert [line["message"] for line in found] == ["call began", "turn answered", "call ended"]
    for line in found:
        assert (line["session"], line["trace_id"]) == (started.session_id, TRACE)
        assert line["metadata"] == {"tenant": "acme"}
    assert (found[1]["turn"], found[1]["reply"]) == (1, 1)
    assert found[1]["llm_ttft"] >= 0
    assert found[2]["reason"] == "caller ended"
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "metadata", [(), (("traceparent", "00-" + "0" * 32 + "-00f067aa0ba902b7-01"),), (("traceparent", "x"),)]
)
async def test_a_call_without_a_trace_has_none_in_its_lines(
    metadata: tuple[tuple[str, str], ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with lab(then_works=False) as there:
        caller = there.caller(metadata=metadata)
        await caller.start()
        await caller.hang_up()
    assert all("trace_id" not in line for line in lines(caplog))


async def test_a_backend_that_fails_leaves_a_line(caplog: pytest.LogCaptureFixture) -> None:
    async with lab(then_works=False) as there:
        there.llm.answers.append(Answer(status=500))
        caller = await there.call()
        await caller.type("hello")
        await caller.error(pb.Error.LLM_UNAVAILABLE)
        await caller.hang_up()
    (line,) = lines(caplog)
    assert (line["levelname"], line["failure"], line["fatal"]) == ("WARNING", "llm_unavailable", False)
    assert line["sentence"]
    assert line["session"]
