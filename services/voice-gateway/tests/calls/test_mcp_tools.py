"""Are an MCP server's tools listed, filtered and called, and is the call safe from its faults? The official package."""

import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_llm import Answer, calling
from fake_tools import McpToolServer, http_tools, mcp_tools, written
from lab import Lab, lab
from raw_caller import Caller
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import Changes

TurnEvent = pb.TurnEvent
ALL = ["add", "book", "broken", "slow", "long"]


class Listings(logging.Handler):
    """What the gateway's log says of the servers."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = Changes()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.changes.tell()

    async def line(self, start: str) -> str:
        """The first line that begins so, once it is there."""
        found = await self.changes.until(lambda: [line for line in self.lines if line.startswith(start)], start)
        return found[0]


@pytest.fixture
def listings() -> Iterator[Listings]:
    handler, log = Listings(), logging.getLogger("voice_gateway.backends.mcp_tools")
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)
    log.setLevel(before)


Gateway = Callable[..., AbstractAsyncContextManager[tuple[Lab, Caller]]]


@pytest.fixture
def gateway(tmp_path: Path, listings: Listings) -> Gateway:
    """A gateway that knows a server's tools, and a call."""

    @asynccontextmanager
    async def there(server: McpToolServer, **declared: Any) -> AsyncGenerator[tuple[Lab, Caller], None]:
        entry = {"name": "kitchen", "url": server.url, "allow": ALL, **declared}
        async with lab(gateway_tools_file=written(tmp_path, mcp=[entry]), then_works=False) as there:
            await listings.line("MCP server kitchen has")
            yield there, await there.call()

    return there


async def result(there: Lab, caller: Caller, answer: Answer) -> str:
    """What the model is told of its only call."""
    nth = len(there.llm.asked) + 2
    end = f"So it is, request {nth}."
    there.llm.answers.extend([answer, Answer(end)])
    await caller.type("Go on.")
    asked = await there.llm.request(nth)
    await caller.expect("turn", lambda m: m.turn.kind == TurnEvent.REPLY_ENDED and m.turn.text == end)
    return next(reversed(asked.results.values()))


async def test_the_servers_tools_are_listed_filtered_and_called(gateway: Gateway) -> None:
    async with mcp_tools() as server, gateway(server) as (there, caller):
        assert await result(there, caller, calling("add", a=2, b=3)) == "5"
        asked = there.llm.asked[-1]
        assert asked.tools == ALL
        add = asked.body["tools"][0]["function"]
        assert add["description"] == "Adds two numbers."
        assert add["parameters"]["required"] == ["a", "b"]
        assert server.called == [("add", {"a": 2, "b": 3})]
        assert await there.metric('voice_tool_calls_total{by="mcp",outcome="done"}') == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (calling("broken"), "Error: Error executing tool broken: the oven is cold"),
        (calling("long"), "Error: the tool answers more than can be read."),
        (calling("add", a="two", b=3), "Error: the arguments don't fit: a: 'two' is not of type 'integer'"),
        (calling("secret"), "Error: there is no tool 'secret'"),
    ],
)
async def test_what_goes_wrong_is_told_to_the_model(gateway: Gateway, answer: Answer, says: str) -> None:
    async with mcp_tools() as server, gateway(server) as (there, caller):
        told = await result(there, caller, answer)
        assert told.startswith(says)
        assert ("secret", {}) not in server.called


async def test_a_tool_that_takes_too_long_is_given_up_and_others_go_on(gateway: Gateway) -> None:
    async with mcp_tools() as server, gateway(server, timeout_s=0.3) as (there, caller):
        both = Answer("", calls=(("a", "slow", "{}"), ("b", "add", '{"a": 1, "b": 1}')))
        nth = len(there.llm.asked) + 2
        there.llm.answers.extend([both, Answer("Done.")])
        await caller.type("Go.")
        asked = await there.llm.request(nth)
        late = "Error: the tool did not answer within 0.3 s; it may have taken effect all the same."
        assert list(asked.results.values())[-2:] == [late, "2"]
        await server.changes.until(lambda: server.cancelled, "the end of the slow tool")
        assert await result(there, caller, calling("add", a=2, b=2)) == "4"


async def test_an_interrupt_cancels_at_the_server(gateway: Gateway) -> None:
    async with mcp_tools() as server, gateway(server) as (there, caller):
        there.llm.answers.append(calling("slow"))
        await caller.type("Go.")
        await server.called_times(1)
        await caller.send(interrupt=pb.Interrupt())
        await server.changes.until(lambda: server.cancelled, "the end of the slow tool")


async def test_a_server_that_restarts_is_found_again_and_costs_no_call(gateway: Gateway) -> None:
    async with mcp_tools() as server, gateway(server) as (there, caller):
        assert await result(there, caller, calling("add", a=1, b=1)) == "2"
        await server.stop()
        await server.start()
        assert await result(there, caller, calling("add", a=2, b=2)) == "4"
        assert await result(there, caller, calling("book", table=7)) == "table 7 is yours"


async def test_a_server_that_is_not_there_yet_is_waited_for_in_the_background(
    tmp_path: Path, listings: Listings
) -> None:
    server = McpToolServer()
    async with mcp_tools() as taken:
        server.port = taken.port
    entry = {"name": "kitchen", "url": server.url, "allow": "*", "prefix": "k_"}
    async with lab(gateway_tools_file=written(tmp_path, mcp=[entry]), then_works=False) as there:
        caller = await there.call()
        await listings.line("MCP server kitchen can't be used")
        await caller.type("Hello?")
        assert (await there.llm.request()).tools == []
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await server.start()
        try:
            await listings.line("MCP server kitchen has 6 tools, 6 may be called")
            assert await result(there, caller, calling("k_add", a=1, b=2)) == "3"
            assert "k_secret" in there.llm.asked[-1].tools
        finally:
            await server.stop()


async def test_tools_are_listed_anew_after_a_while(gateway: Gateway, listings: Listings) -> None:
    async with mcp_tools() as server, gateway(server, refresh_s=1, allow=[*ALL, "subtract"]) as (there, caller):
        await listings.line("MCP server kitchen has 6 tools, 5 may be called; it has no subtract")
        await server.stop()
        server.subtracts = True
        await server.start()
        await listings.line("MCP server kitchen has 7 tools, 6 may be called")
        assert await result(there, caller, calling("subtract", a=3, b=2)) == "1"


async def test_only_what_says_that_it_reads_or_what_the_operator_says_so_of_runs_in_a_draft(gateway: Gateway) -> None:
    async with mcp_tools() as server:
        declared = {"side_effects": {"broken": False}}
        async with gateway(server, **declared) as (there, caller):
            stream = await there.asr.stream()
            calls = (("a", "add", '{"a": 1, "b": 1}'), ("b", "book", '{"table": 1}'), ("c", "broken", "{}"))
            there.llm.answers.append(Answer("", calls=calls))
            await caller.send(update=pb.SessionUpdate(endpointing=pb.EndpointingOptions(end_silence_s=5.0)))
            stream.final("Book me")
            await server.called_times(2)
            stream.final("nothing.")
            await there.llm.quiet()
            assert sorted(name for name, _ in server.called) == ["add", "broken"]


async def test_the_operators_headers_go_with_every_request(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITCHEN_TOKEN", "s3cret")
    headers = {"Authorization": {"env": "KITCHEN_TOKEN", "prefix": "Bearer "}}
    async with mcp_tools() as server, gateway(server, headers=headers) as (there, caller):
        await result(there, caller, calling("add", a=1, b=1))
        assert server.headers
        assert all(headers["authorization"] == "Bearer s3cret" for headers in server.headers)


@pytest.mark.parametrize("behaviour", ["500", "bytes", "huge", "die", "redirect", "no http"])
async def test_a_server_that_is_none_hurts_no_call(tmp_path: Path, behaviour: str) -> None:
    async with http_tools() as server:
        server.behaviour["mcp"] = behaviour
        entry = {"name": "kitchen", "url": server.url("mcp"), "allow": "*"}
        async with lab(gateway_tools_file=written(tmp_path, mcp=[entry])) as there:
            await server.request(2)
            caller = await there.call()
            await caller.type("Hello?")
            await caller.turn(TurnEvent.REPLY_ENDED, 1)
            assert there.llm.asked[0].tools == []
