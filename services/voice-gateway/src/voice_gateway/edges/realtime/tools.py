"""Which functions does a client declare? Objects of the wire to core tools, checked."""

import json
import re
from collections.abc import Sequence
from typing import Any

from voice_gateway.core.tool_arguments import MAX_SCHEMA_CHARS, check_schema
from voice_gateway.core.tools import AUTO, Tool, ToolUse
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.realtime.refusals import invalid
from voice_gateway.edges.realtime.session_models import ChosenFunction, FunctionTool, ToolChoice

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EMPTY = '{"type": "object", "properties": {}}'


def declared(wire: Sequence[FunctionTool], limits: Limits, where: str) -> tuple[Tool, ...]:
    """The tools; a later one takes the place of an earlier one of its name. Raises EventRefused."""
    if len(wire) > limits.max_tools:
        raise invalid(where, f"{len(wire)} tools are too many; declare at most {limits.max_tools}")
    tools = {entry.name: _tool(entry, limits, f"{where}[{number}]") for number, entry in enumerate(wire)}
    chars = sum(len(tool.parameters) for tool in tools.values())
    if chars > limits.max_tool_schemas_chars:
        most = limits.max_tool_schemas_chars
        raise invalid(where, f"the parameters of all tools have {chars} characters; declare at most {most}")
    return tuple(tools.values())


def _tool(wire: FunctionTool, limits: Limits, where: str) -> Tool:
    """What a function does is not known: it is called when the turn is decided, and its call is never forgotten."""
    if not _NAME.fullmatch(wire.name):
        raise invalid(f"{where}.name", "send 1 to 64 letters, digits, _ or -")
    if wire.name in limits.operator_tools:
        raise invalid(f"{where}.name", "the operator of this gateway has a tool of this name; choose another one")
    description = wire.description or ""
    if len(description) > limits.max_tool_description_chars:
        most = limits.max_tool_description_chars
        raise invalid(f"{where}.description", f"it has {len(description)} characters; send at most {most}")
    parameters = _parameters(wire.parameters, f"{where}.parameters")
    return Tool(wire.name, description, parameters, True, limits.max_tool_timeout_s)


def _parameters(schema: dict[str, Any] | None, where: str) -> str:
    if not schema:
        return _EMPTY
    try:
        text = json.dumps(schema, ensure_ascii=False, allow_nan=False)
        wrong = check_schema(schema, whole=False)
    except (ValueError, RecursionError):
        raise invalid(where, "send a JSON schema with finite numbers, and not nested that deep") from None
    if len(text) > MAX_SCHEMA_CHARS:
        raise invalid(where, f"they have {len(text)} characters; send at most {MAX_SCHEMA_CHARS}")
    if wrong:
        raise invalid(where, wrong)
    return text


def use(choice: ToolChoice, known: Sequence[Tool], limits: Limits, where: str) -> ToolUse:
    """What a response may or must call. Raises EventRefused."""
    if not isinstance(choice, ChosenFunction):
        return AUTO if choice == "auto" else ToolUse(choice)
    if choice.name not in limits.operator_tools and all(tool.name != choice.name for tool in known):
        raise invalid(where, f"there is no tool {choice.name[:64]!r}; name one that is declared")
    return ToolUse("required", choice.name)


def shown(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """As session.created and session.updated tell them."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": json.loads(tool.parameters),
        }
        for tool in tools
    ]


def choice_shown(tool_use: ToolUse) -> str | dict[str, str]:
    """As the wire writes it."""
    return {"type": "function", "name": tool_use.name} if tool_use.name else tool_use.mode
