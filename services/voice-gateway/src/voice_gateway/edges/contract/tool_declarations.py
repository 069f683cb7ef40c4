"""Which tools does a caller's client declare? Messages of voice_workflow.v1 to core tools, checked."""

import json
import math
import re
from collections.abc import Iterable, Sequence

from google.protobuf.json_format import MessageToDict
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.tool_arguments import MAX_SCHEMA_CHARS, check_schema
from voice_gateway.core.tools import Tool
from voice_gateway.edges.limits import Limits
from voice_gateway.errors import BadRequest

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def declared_tools(kept: Sequence[Tool], messages: Iterable[pb.Tool], limits: Limits) -> tuple[Tool, ...]:
    """The tools of `kept` and those of the messages; a later one takes the place of an earlier one of its name. Raises
    BadRequest."""
    tools = {tool.name: tool for tool in kept}
    for message in messages:
        tool = _tool(message, limits)
        tools[tool.name] = tool
    if len(tools) > limits.max_tools:
        raise BadRequest(f"{len(tools)} tools are too many; declare at most {limits.max_tools}")
    chars = sum(len(tool.parameters) for tool in tools.values())
    if chars > limits.max_tool_schemas_chars:
        raise BadRequest(
            f"the parameters of all tools have {chars} characters; declare at most {limits.max_tool_schemas_chars}"
        )
    return tuple(tools.values())


def _tool(message: pb.Tool, limits: Limits) -> Tool:
    if not _NAME.fullmatch(message.name):
        raise BadRequest(f"a tool's name is {message.name[:64]!r}; send 1 to 64 letters, digits, _ or -")
    where = f"tool {message.name}"
    if message.name in limits.operator_tools:
        raise BadRequest(f"{where}: the operator of this gateway has a tool of this name; choose another name")
    if len(message.description) > limits.max_tool_description_chars:
        raise BadRequest(
            f"{where}: the description has {len(message.description)} characters; send at most "
            f"{limits.max_tool_description_chars}"
        )
    if math.isnan(message.timeout_s) or not 0 <= message.timeout_s <= limits.max_tool_timeout_s:
        raise BadRequest(
            f"{where}: timeout_s = {message.timeout_s:g} is out of range; send 0 to {limits.max_tool_timeout_s:g}"
        )
    timeout_s = round(message.timeout_s, 3) or limits.tool_timeout_s
    return Tool(message.name, message.description, _parameters(message, where), message.side_effects, timeout_s)


def _parameters(message: pb.Tool, where: str) -> str:
    try:
        schema = MessageToDict(message.parameters) or {"type": "object", "properties": {}}
        text = json.dumps(_whole(schema), ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise BadRequest(f"{where}: parameters hold a number that is not finite; send a JSON schema") from None
    if len(text) > MAX_SCHEMA_CHARS:
        raise BadRequest(f"{where}: parameters have {len(text)} characters; send at most {MAX_SCHEMA_CHARS}")
    if wrong := check_schema(json.loads(text), whole=False):
        raise BadRequest(f"{where}: parameters {wrong}")
    return text


def _whole(value: object) -> object:
    """A Struct knows only fractions: 3.0 is the integer that was meant."""
    if isinstance(value, dict):
        return {key: _whole(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
