"""Functions of the caller's are run when the model calls them, each within its time, and answered once."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from voice_client import Call, CallOptions, Tool, ToolCall, connect
from voice_client.tool_runner import MOST_RUNNING
from voice_workflow.v1 import voice_workflow_pb2 as pb

from .fake_gateway import Session, serving, silent


def add(a: int, b: int = 1) -> dict[str, int]:
    """Adds."""
    return {"sum": a + b}


class Line:
    """A call, and what the gateway gets of it."""

    def __init__(self, call: Call, session: Session) -> None:
        self.call = call
        self.session = session
        self.seen: list[object] = []

    def ask(self, id_: str, tool: str, timeout_s: float = 5.0, **arguments: str | int) -> None:
        """The gateway calls a tool."""
        message = pb.ToolCall(id=id_, reply=1, name=tool, timeout_s=timeout_s)
        message.arguments.update(arguments)
        self.session.tell(tool_call=message)

    async def results(self, count: int) -> dict[str, tuple[str, bool]]:
        """So many results, by id."""
        async with asyncio.timeout(10):
            while len(found := [m.tool_result for m in self.session.received if m.HasField("tool_result")]) < count:
                self.session.heard.clear()
                await self.session.heard.wait()
        return {result.id: (result.content, result.failed) for result in found}


@asynccontextmanager
async def calling(*tools: Tool) -> AsyncIterator[Line]:
    async with serving(silent) as gateway, connect(gateway.target, CallOptions(tools=tools)) as call:
        line = Line(call, gateway.sessions[0])

        async def read() -> None:
            async for event in call:
                line.seen.append(event)

        reading = asyncio.create_task(read())
        yield line
        reading.cancel()


def test_a_tool_is_made_of_a_function() -> None:
    tool = Tool.of(add, side_effects=True, timeout_s=2)
    assert (tool.name, tool.description, tool.side_effects, tool.timeout_s) == ("add", "Adds.", True, 2)
    assert tool.parameters == {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a"],
    }

    def odd(thing: list[str]) -> str:
        return thing[0]

    with pytest.raises(TypeError, match="the parameter thing must be annotated as str, int, float or bool"):
        Tool.of(odd)


async def test_functions_are_declared_called_and_answered() -> None:
    async def shout(text: str) -> str:
        return text.upper()

    threads: list[str] = []

    def where() -> str:
        threads.append(threading.current_thread().name)
        return "in a thread"

    async with calling(Tool.of(add), Tool.of(shout), Tool.of(where)) as line:
        assert [tool.name for tool in line.session.start.tools] == ["add", "shout", "where"]
        line.ask("1", "add", a=2)
        line.ask("2", "shout", text="hello")
        line.ask("3", "where")
        assert await line.results(3) == {
            "1": ('{"sum": 3}', False),
            "2": ("HELLO", False),
            "3": ("in a thread", False),
        }
        assert threads != ["MainThread"]
        assert ToolCall("1", 1, "add", {"a": 2}, 5.0) in line.seen


async def test_what_a_function_raises_is_told_to_the_model_and_the_call_goes_on() -> None:
    async def refuse(city: str) -> str:
        raise ValueError(f"no station in {city}")

    def long() -> str:
        return "x" * 20_000

    async with calling(Tool.of(refuse), Tool.of(long), Tool.of(add)) as line:
        line.ask("1", "refuse", city="Ys")
        line.ask("2", "add", c=3)
        line.ask("3", "long")
        line.ask("4", "add", a=1)
        results = await line.results(4)
        assert results["1"] == ("ValueError: no station in Ys", True)
        assert results["2"][1]
        assert "unexpected keyword argument" in results["2"][0]
        assert results["3"] == ("the result has 20000 characters; 16384 are the most", True)
        assert results["4"] == ('{"sum": 2}', False)


async def test_a_call_that_is_cancelled_or_late_is_stopped_and_not_answered() -> None:
    begun, stopped = asyncio.Queue[str](), asyncio.Queue[str]()

    async def wait(name: str) -> str:
        begun.put_nowait(name)
        try:
            await asyncio.Event().wait()
        finally:
            stopped.put_nowait(name)
        return "never"

    async with calling(Tool.of(wait), Tool.of(add)) as line:
        async with asyncio.timeout(10):
            line.ask("1", "wait", name="cancelled")
            assert await begun.get() == "cancelled"
            line.session.tell(tool_call_cancelled=pb.ToolCallCancelled(id="1"))
            assert await stopped.get() == "cancelled"
            line.ask("2", "wait", timeout_s=0.05, name="late")
            assert await begun.get() == "late"
            assert await stopped.get() == "late"
            line.ask("3", "wait", name="at the end")
            assert await begun.get() == "at the end"
        line.ask("4", "add", a=1)
        assert set(await line.results(1)) == {"4"}
    assert stopped.get_nowait() == "at the end"


async def test_no_more_run_at_once_than_are_bounded() -> None:
    go_on = asyncio.Event()

    async def wait() -> str:
        await go_on.wait()
        return "done"

    async with calling(Tool.of(wait)) as line:
        for n in range(MOST_RUNNING + 1):
            line.ask(str(n), "wait")
        assert await line.results(1) == {str(MOST_RUNNING): ("too many functions run already; try again later", True)}
        go_on.set()
        assert len(await line.results(MOST_RUNNING + 1)) == MOST_RUNNING + 1


async def test_a_tool_without_a_function_is_left_to_the_program() -> None:
    async with calling(Tool("clock", "Tells the time.")) as line:
        line.ask("1", "clock")
        await line.call.answer_tool("1", "noon")
        assert await line.results(1) == {"1": ("noon", False)}
