"""Who answers the language model's calls of our functions? This runs them, each within its time, and sends results."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from functools import partial

from voice_client.events import Event, ToolCall, ToolCallCancelled
from voice_client.options import Tool

MOST_RUNNING = 16
"""Functions that run at once; a gateway asks for eight."""
_RESULT_CHARS = 16_384
"""A gateway takes no longer result."""

log = logging.getLogger(__name__)

Answer = Callable[[str, str, bool], None]
"""Takes id, content, and whether it failed."""


class ToolRunner:
    """Runs those of the tools that hold a function; `answer` sends a result."""

    def __init__(self, tools: Iterable[Tool], answer: Answer) -> None:
        self._tools = {tool.name: tool for tool in tools if tool.run is not None}
        self._answer = answer
        self._running: dict[str, asyncio.Task[None]] = {}

    def take(self, event: Event) -> None:
        """What the gateway tells."""
        if isinstance(event, ToolCall) and event.name in self._tools:
            if len(self._running) >= MOST_RUNNING:
                self._answer(event.id, "too many functions run already; try again later", True)
                return
            task = asyncio.create_task(self._run(self._tools[event.name], event), name=f"tool {event.name}")
            self._running[event.id] = task
            task.add_done_callback(partial(self._forget, event.id))
        elif isinstance(event, ToolCallCancelled) and (running := self._running.get(event.id)):
            running.cancel()

    async def close(self) -> None:
        """Nothing runs any more. A function in a thread can't be stopped; nobody waits for it."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, tool: Tool, call: ToolCall) -> None:
        try:
            async with asyncio.timeout(call.timeout_s or None):
                content = await _result(tool, call)
        except TimeoutError:
            return  # the gateway has told the model already
        except Exception as error:  # whatever the function raises is told to the model
            log.warning("the tool %s failed", tool.name, exc_info=True)
            self._answer(call.id, f"{type(error).__name__}: {error}"[:_RESULT_CHARS], True)
            return
        if len(content) > _RESULT_CHARS:
            self._answer(call.id, f"the result has {len(content)} characters; {_RESULT_CHARS} are the most", True)
        else:
            self._answer(call.id, content, False)

    def _forget(self, id_: str, _: asyncio.Task[None]) -> None:
        self._running.pop(id_, None)


async def _result(tool: Tool, call: ToolCall) -> str:
    """What the function returns: text as it is, else as JSON. One that is no coroutine runs in a thread."""
    assert tool.run is not None
    if asyncio.iscoroutinefunction(tool.run):
        value = await tool.run(**call.arguments)
    else:
        value = await asyncio.to_thread(tool.run, **call.arguments)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
