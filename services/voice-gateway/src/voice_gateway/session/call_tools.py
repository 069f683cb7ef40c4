"""Who carries out what the model calls? The operator's servers or the caller's client; checked, timed, counted here.

Every call gets a result within its time. What goes wrong is told to the model in a sentence, as the result.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from voice_gateway.core.events import CallOptions, ToolAnswered, ToolCallCancelled, ToolCalled
from voice_gateway.core.tool_arguments import BadArguments, arguments
from voice_gateway.core.tools import Outcome, Tool, ToolCall, ToolResult
from voice_gateway.errors import BadRequest, ToolFailed
from voice_gateway.interfaces import OperatorTools
from voice_gateway.reply.rounds import RoundLimits

log = logging.getLogger(__name__)

_ID = "tool-"


class NoOperatorTools:
    """The operator has declared none."""

    tools: Sequence[Tool] = ()

    async def call(self, name: str, arguments: Mapping[str, Any], key: str) -> str:
        """Never: there is none."""
        raise ToolFailed(f"there is no tool {name}")


@dataclass(frozen=True, slots=True)
class ToolSetup:
    """What holds for the tools of every call."""

    operator: OperatorTools = field(default_factory=NoOperatorTools)
    limits: RoundLimits = field(default_factory=RoundLimits)


class ToolSink(Protocol):
    """Who is told of calls."""

    def send(self, event: ToolCalled | ToolCallCancelled) -> None:
        """For the caller's client."""

    def note_tool(self, call: ToolCall, by: str, result: ToolResult, seconds: float) -> None:
        """A call is over, or was cancelled."""


class CallTools:
    """The tools of one call; `session` names it to the operator's servers, `fillers` are the language's."""

    def __init__(
        self,
        session: str,
        setup: ToolSetup,
        sink: ToolSink,
        clock: Callable[[], float],
        fillers: Sequence[str] = (),
    ) -> None:
        self.limits = setup.limits
        self._session = session
        self._setup = setup
        self._sink = sink
        self._clock = clock
        self._asked = 0
        """How often the client was asked."""
        self._waiting: dict[str, asyncio.Future[ToolAnswered]] = {}
        self._fillers = fillers
        self._fillers_said = 0
        self._last_filler = (0, "")
        """The reply it was said in, and its text."""

    def offered(self, options: CallOptions) -> tuple[Tool, ...]:
        """What the next reply may call. The operator's tools win over one of the client's of the same name."""
        operators = tuple(self._setup.operator.tools)
        taken = {tool.name for tool in operators}
        return (*operators, *(tool for tool in options.tools if tool.name not in taken))

    def filler(self, n: int) -> str:
        """What is said while a tool of reply `n` takes long: the next one in turn, so that none is said twice in a row.
        "" = nothing."""
        if not self._fillers:
            return ""
        sentence = self._fillers[self._fillers_said % len(self._fillers)]
        if (n, sentence) == self._last_filler:
            return ""
        self._fillers_said += 1
        self._last_filler = n, sentence
        return sentence

    def answered(self, event: ToolAnswered) -> None:
        """The client has a result. One that nobody waits for any more is dropped. Raises BadRequest."""
        number = event.id.removeprefix(_ID)
        if not (event.id.startswith(_ID) and number.isdecimal() and 0 < int(number) <= self._asked):
            raise BadRequest(f"no tool was called as {event.id[:64]!r}; send the id of a ToolCall")
        waiting = self._waiting.get(event.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(event)

    async def run(self, call: ToolCall, tool: Tool | None, n: int, decided: asyncio.Event) -> ToolResult:
        """The result of a call of reply `n`. Tools with side effects wait for `decided`, and so do the client's: no
        client is told of a draft."""
        by, began = tool.by if tool else "nobody", self._clock()
        result = ToolResult(call.id, "", Outcome.CANCELLED)
        try:
            result = await self._result(call, tool, n, decided)
        finally:
            self._sink.note_tool(call, by, result, self._clock() - began)
        return result

    async def _result(self, call: ToolCall, tool: Tool | None, n: int, decided: asyncio.Event) -> ToolResult:
        if tool is None:
            return _refused(call, f"there is no tool {call.name[:64]!r}; use one that is declared, or answer without")
        try:
            given = arguments(call, tool)
        except BadArguments as error:
            return _refused(call, str(error))
        if tool.side_effects or tool.by == "client":
            await decided.wait()
        try:
            async with asyncio.timeout(tool.timeout_s):
                if tool.by == "client":
                    content = await self._ask_client(call, tool, n)
                else:
                    content = await self._setup.operator.call(tool.name, given, f"{self._session}-{call.id}")
            return ToolResult(call.id, content, Outcome.DONE, tool.side_effects)
        except TimeoutError:
            late = f"the tool did not answer within {tool.timeout_s:g} s"
            more = "; it may have taken effect all the same" if tool.side_effects else ""
            return ToolResult(call.id, f"Error: {late}{more}.", Outcome.TIMED_OUT, tool.side_effects)
        except ToolFailed as error:
            return ToolResult(call.id, f"Error: {error}", Outcome.FAILED, tool.side_effects)
        except Exception:  # whatever a server or its package does, the call goes on
            log.exception("a tool broke")
            return ToolResult(call.id, "Error: the tool broke.", Outcome.FAILED, tool.side_effects)

    async def _ask_client(self, call: ToolCall, tool: Tool, n: int) -> str:
        self._asked += 1
        id_ = f"{_ID}{self._asked}"
        waiting: asyncio.Future[ToolAnswered] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = waiting
        self._sink.send(ToolCalled(id_, n, tool.name, call.arguments, tool.timeout_s))
        try:
            answer = await waiting
        except asyncio.CancelledError:  # the time is over, or the reply
            self._sink.send(ToolCallCancelled(id_))
            raise
        finally:
            del self._waiting[id_]
        if answer.failed:
            raise ToolFailed(answer.content or "the tool failed and does not say why")
        return answer.content


def _refused(call: ToolCall, sentence: str) -> ToolResult:
    return ToolResult(call.id, f"Error: {sentence}.", Outcome.REFUSED)
