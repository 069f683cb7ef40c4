"""Are the operator's HTTP tools called as declared, and never when they must not be? Over real sockets."""

import logging
import socket
from pathlib import Path
from typing import Any

import pytest
from fake_llm import Answer, calling
from fake_tools import HttpToolServer, http_tools, written
from lab import lab
from voice_gateway.app import load
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that tests may be short of time; the gateway is not to mind."""
    monkeypatch.setattr(load, "MOST_LAG_S", float("inf"))


def tool(server: HttpToolServer, name: str, *, acts: bool = False, **more: Any) -> dict[str, Any]:
    """A declaration."""
    http = {"url": server.url(name), **more.pop("http", {})}
    return {"name": name, "description": f"What {name} does.", "side_effects": acts, "http": http, **more}


async def test_a_tool_is_posted_its_arguments_with_the_operators_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEATHER_KEY", "from the environment")
    (tmp_path / "token").write_text("first\n", encoding="utf-8")
    headers = {
        "X-Tenant": "acme",
        "X-Key": {"env": "WEATHER_KEY"},
        "Authorization": {"file": str(tmp_path / "token"), "prefix": "Bearer "},
    }
    async with http_tools() as server:
        file = written(tmp_path, tools=[tool(server, "get_weather", parameters=CITY, http={"headers": headers})])
        async with lab(gateway_tools_file=file) as there:
            there.llm.answers.extend([calling("get_weather", city="São Paulo"), Answer("It is warm.")] * 2)
            caller = await there.call()
            await caller.type("How warm is it in São Paulo?")
            assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "It is warm."
            request = await server.request()
            assert (request.name, request.arguments) == ("get_weather", {"city": "São Paulo"})
            assert request.headers["Content-Type"] == "application/json"
            assert (request.headers["X-Tenant"], request.headers["X-Key"]) == ("acme", "from the environment")
            assert request.headers["Authorization"] == "Bearer first"
            assert there.llm.asked[1].results == {"call0001a": '{"said": "ok"}'}
            (tmp_path / "token").write_text("renewed\n", encoding="utf-8")
            await caller.type("And now?")
            again = await server.request(2)
            assert again.headers["Authorization"] == "Bearer renewed"
            assert again.headers["Idempotency-Key"]
            await caller.turn(TurnEvent.REPLY_ENDED, 2)
            assert await there.metric('voice_tool_calls_total{by="http",outcome="done"}') == 2
            assert await there.metric('voice_tool_call_seconds_count{by="http"}') == 2


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ("500", "the tool answers HTTP 500"),
        ("404", "the tool answers HTTP 404: no table for twelve"),
        ("redirect", "the tool answers HTTP 307"),
        ("bytes", "the tool answers what is no text."),
        ("huge", "the tool answers more than can be read."),
        ("packed", "the tool answers more than can be read."),
        ("no http", "the tool can't be reached, or answers nonsense."),
        ("die", "the tool can't be reached, or answers nonsense."),
        ("hang", "the tool did not answer within 0.2 s."),
        ("wait", "the tool did not answer within 0.2 s."),
    ],
)
async def test_a_tool_that_fails_is_told_to_the_model_in_a_sentence(tmp_path: Path, behaviour: str, says: str) -> None:
    async with http_tools() as server:
        file = written(tmp_path, tools=[tool(server, "look", timeout_s=0.2 if "did not" in says else 5)])
        server.behaviour["look"] = behaviour
        async with lab(gateway_tools_file=file) as there:
            there.llm.answers.extend([calling("look"), Answer("Sorry, that did not work.")])
            caller = await there.call()
            await caller.type("Look it up.")
            assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "Sorry, that did not work."
            assert there.llm.asked[1].results == {"call0001a": f"Error: {says}"}
            assert not caller.of("error")
            await server.changes.until(lambda: server.requests[0].over, "the end of the request")
            assert [request.name for request in server.requests] == ["look"]


async def test_a_tool_nobody_listens_for_is_told_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = HttpToolServer()
        server.port = taken.getsockname()[1]
        async with lab(gateway_tools_file=written(tmp_path, tools=[tool(server, "look")])) as there:
            there.llm.answers.extend([calling("look"), Answer("Sorry.")])
            caller = await there.call()
            await caller.type("Look it up.")
            await caller.turn(TurnEvent.REPLY_ENDED, 1)
            assert "can't be reached" in there.llm.asked[1].results["call0001a"]


async def test_a_draft_that_is_retracted_has_called_nothing_that_acts(tmp_path: Path) -> None:
    async with http_tools() as server:
        file = written(tmp_path, tools=[tool(server, "look"), tool(server, "book", acts=True)])
        server.behaviour["look"] = "wait"
        both = Answer("", calls=(("a", "look", "{}"), ("b", "book", "{}")))
        async with lab(gateway_tools_file=file, turn_end_silence_s=1.0) as there:
            there.llm.answers.append(both)
            caller = await there.call()
            stream = await there.asr.stream()
            stream.final("Book me")
            looked = await server.request()
            assert looked.name == "look"
            there.llm.usual = Answer("All right.")
            stream.final("no table after all.")
            await server.changes.until(lambda: looked.over, "the end of the draft's call")
            assert looked.cancelled
            await caller.turn(TurnEvent.REPLY_ENDED, 2)
            assert [request.name for request in server.requests] == ["look"]
            assert await there.metric('voice_tool_calls_total{by="http",outcome="cancelled"}') == 2
            assert there.llm.asked[-1].chat == [("user", "Book me no table after all.")]


async def test_a_draft_that_is_released_has_looked_before_and_acts_after_the_decision(tmp_path: Path) -> None:
    async with http_tools() as server:
        file = written(tmp_path, tools=[tool(server, "look"), tool(server, "book", acts=True)])
        both = Answer("", calls=(("a", "look", "{}"), ("b", "book", "{}")))
        async with lab(gateway_tools_file=file, turn_end_silence_s=1.0) as there:
            there.llm.answers.extend([both, Answer("Done.")])
            caller = await there.call()
            stream = await there.asr.stream()
            stream.final("Book me a table.")
            looked = await server.request()
            assert looked.name == "look"
            assert not caller.of("turn")
            await caller.turn(TurnEvent.REPLY_ENDED, 1)
            assert [request.name for request in server.requests] == ["look", "book"]
            assert list(there.llm.asked[1].results) == ["a", "b"]
            assert len(there.llm.asked) == 2
            assert await there.metric('voice_drafts_total{end="released"}') == 1


async def test_an_interrupt_hangs_up_at_the_tool(tmp_path: Path) -> None:
    async with http_tools() as server:
        server.behaviour["book"] = "wait"
        async with lab(gateway_tools_file=written(tmp_path, tools=[tool(server, "book", acts=True)])) as there:
            there.llm.answers.append(calling("book"))
            caller = await there.call()
            await caller.type("Book it.")
            request = await server.request()
            await caller.send(interrupt=pb.Interrupt())
            await server.changes.until(lambda: request.over, "the end of the request")
            assert request.cancelled
            await caller.type("Did you?")
            await caller.turn(TurnEvent.REPLY_ENDED, 2)
            assert "may have taken effect" in there.llm.asked[1].results["call0001a"]


async def test_a_turn_that_goes_on_after_a_tool_has_acted_does_not_hide_that_from_the_model(tmp_path: Path) -> None:
    async with http_tools() as server:
        file = written(tmp_path, tools=[tool(server, "book", acts=True)])
        async with lab(gateway_tools_file=file) as there:
            there.llm.answers.extend([calling("book"), Answer("", then="hang"), Answer("It is booked already.")])
            caller = await there.call()
            stream = await there.asr.stream()
            stream.final("Book a table")
            await there.llm.request(2)
            stream.final("for two.")
            await caller.turn(TurnEvent.REPLY_RETRACTED, 1)
            assert (await caller.turn(TurnEvent.REPLY_ENDED)).text == "It is booked already."
            asked = there.llm.asked[-1]
            assert asked.results == {"call0001a": '{"said": "ok"}'}
            assert asked.chat[-1] == ("user", "Book a table for two.")
            assert len(server.requests) == 1


async def test_a_client_can_not_take_the_name_of_an_operators_tool(tmp_path: Path) -> None:
    declared = [tool(HttpToolServer(), "book")]
    async with lab(gateway_tools_file=written(tmp_path, tools=declared)) as there:
        caller = there.caller()
        await caller.send(start=pb.SessionStart(tools=[pb.Tool(name="book")]))
        await caller.over()
        assert "the operator of this gateway has a tool of this name" in caller.sentence


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_log_line_says_what_was_called_and_not_what_was_said(
    tmp_path: Path, allowed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with http_tools() as server:
        file = written(tmp_path, tools=[tool(server, "get_weather", parameters=CITY)])
        async with lab(gateway_tools_file=file, tool_log_arguments=allowed) as there:
            there.llm.answers.extend([calling("get_weather", city="Paris"), Answer("Warm.")])
            caller = await there.call()
            await caller.type("Go.")
            await caller.turn(TurnEvent.REPLY_ENDED, 1)
    (line,) = [record for record in caplog.records if record.getMessage() == "tool called"]
    fields = vars(line)
    assert (fields["tool"], fields["by"], fields["outcome"]) == ("get_weather", "http", "done")
    assert fields["session"].startswith("call-")
    told = [str(vars(record)) for record in caplog.records]
    assert any("Paris" in line for line in told) is allowed
