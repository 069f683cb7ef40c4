"""What may the language model call, and what came of its calls? Values only; others carry the calls out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal

Executor = Literal["http", "mcp", "client"]
"""Who carries a call out: an HTTP endpoint or an MCP server of the operator's, or the caller's client."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call."""

    name: str
    description: str = ""
    parameters: str = '{"type": "object", "properties": {}}'
    """JSON schema of the arguments, as JSON."""
    side_effects: bool = True
    """It changes something in the world: called only when the turn is decided."""
    timeout_s: float = 10.0
    by: Executor = "client"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """How an answer uses tools."""

    mode: Literal["auto", "none", "required"] = "auto"
    """As it likes; it calls none; it calls at least one."""
    name: str = ""
    """The one tool that it must call."""


AUTO = ToolUse()


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What one answer may call."""

    tools: tuple[Tool, ...]
    may_call: bool = True
    """False: it has called enough and must answer; the tools are shown, because the chat holds calls of them."""
    use: ToolUse = AUTO
    """What the caller's client wants of it."""


NO_TOOLS = ToolChoice((), False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model wants called; `arguments` is what it wrote, which may be no JSON."""

    id: str
    name: str
    arguments: str


class Outcome(StrEnum):
    """What became of a call."""

    DONE = "done"
    FAILED = "failed"
    """The tool says so, or it could not be reached."""
    REFUSED = "refused"
    """Nobody was asked: no such tool, wrong arguments, too many calls."""
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the model is told of call `id`."""

    id: str
    content: str
    outcome: Outcome = Outcome.DONE
    may_have_acted: bool = False
    """A tool with side effects was asked: what it did stays done, also if nobody heard the reply."""


@dataclass(frozen=True, slots=True)
class ToolRound:
    """The calls of one answer of the model: `results` has one for each, in their order."""

    said: str
    """Of the reply, since the round before."""
    calls: tuple[ToolCall, ...]
    results: tuple[ToolResult, ...]

    @property
    def chars(self) -> int:
        """Its size in a history."""
        return sum(len(call.arguments) for call in self.calls) + sum(len(result.content) for result in self.results)


def valid_arguments(call: ToolCall) -> str:
    """The arguments as a JSON object. Broken ones are left out: servers that read them again refuse a whole chat for
    one bad call, and its result says what was wrong."""
    return call.arguments if is_object(call.arguments) else "{}"


@lru_cache(maxsize=1024)
def declaration(tool: Tool) -> Mapping[str, Any]:
    """A tool as the chat wire declares it."""
    function = {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)}
    return {"type": "function", "function": function}


def cancelled(call: ToolCall, *, may_have_acted: bool) -> ToolResult:
    """The result of a call that nobody waits for any more."""
    rest = " It may have taken effect all the same." if may_have_acted else ""
    content = f"Cancelled: the user spoke before the result came.{rest}"
    return ToolResult(call.id, content, Outcome.CANCELLED, may_have_acted)


def is_object(text: str) -> bool:
    """Whether it is a JSON object, whole."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
