"""Tools that a client declares are checked one by one; a refusal names the tool and what to send instead."""

import json
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from voice_gateway.core.tools import Tool
from voice_gateway.edges.contract.tool_declarations import declared_tools
from voice_gateway.edges.limits import Limits
from voice_gateway.errors import BadRequest
from voice_workflow.v1 import voice_workflow_pb2 as pb

LIMITS = Limits(operator_tools=frozenset({"transfer_call"}))


def tool(name: str = "open_door", parameters: Any = None, **fields: Any) -> pb.Tool:
    schema = Struct()
    schema.update(parameters or {})
    return pb.Tool(name=name, parameters=schema, **fields)


def test_a_tool_is_taken_as_it_was_declared() -> None:
    schema = {"type": "object", "properties": {"floor": {"type": "integer", "maximum": 3}}, "required": ["floor"]}
    (found,) = declared_tools(
        (), [tool(parameters=schema, description="Opens.", side_effects=True, timeout_s=2.5)], LIMITS
    )
    assert found == Tool("open_door", "Opens.", found.parameters, True, 2.5, "client")
    assert json.loads(found.parameters) == schema
    assert '"maximum": 3' in found.parameters


def test_what_is_not_said_is_the_operators() -> None:
    (found,) = declared_tools((), [tool()], LIMITS)
    assert json.loads(found.parameters) == {"type": "object", "properties": {}}
    assert (found.timeout_s, found.side_effects) == (LIMITS.tool_timeout_s, False)


def test_an_update_adds_and_a_later_tool_takes_the_place_of_an_earlier_one() -> None:
    first = declared_tools((), [tool("a"), tool("b")], LIMITS)
    both = declared_tools(first, [tool("b", description="new"), tool("c")], LIMITS)
    assert [(entry.name, entry.description) for entry in both] == [("a", ""), ("b", "new"), ("c", "")]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (tool(""), "a tool's name is ''; send 1 to 64 letters, digits, _ or -"),
        (tool("x" * 65), "send 1 to 64 letters"),
        (tool("a\nb"), "send 1 to 64 letters"),
        (tool("transfer_call"), "tool transfer_call: the operator of this gateway has a tool of this name"),
        (tool(description="x" * 1025), "tool open_door: the description has 1025 characters; send at most 1024"),
        (tool(timeout_s=61), "timeout_s = 61 is out of range; send 0 to 60"),
        (tool(timeout_s=float("nan")), "timeout_s = nan is out of range"),
        (tool(parameters={"type": "string"}), 'parameters must have the type "object"'),
        (tool(parameters={"properties": 5}), "parameters hold properties that no JSON schema has"),
        (tool(parameters={"properties": {"a": {"minimum": "x"}}}), "hold properties.a.minimum that no JSON schema has"),
        (tool(parameters={"required": [5]}), "hold required that is no list of names"),
        (tool(parameters={"properties": {"a": 5}}), "hold properties.a. that is no schema"),
        (tool(parameters={"description": "x" * 17_000}), "characters; send at most 16384"),
        (tool(parameters={"maximum": float("inf")}), "a number that is not finite"),
    ],
)
def test_a_bad_tool_is_refused_by_its_name(bad: pb.Tool, says: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        declared_tools((), [bad], LIMITS)
    assert says in str(refusal.value)


def test_the_tools_of_one_call_are_bounded_in_number_and_size() -> None:
    with pytest.raises(BadRequest, match="65 tools are too many; declare at most 64"):
        declared_tools((), [tool(f"t{n}") for n in range(65)], LIMITS)
    kept = declared_tools((), [tool(f"t{n}", {"description": "x" * 16_000}) for n in range(4)], LIMITS)
    with pytest.raises(BadRequest, match=r"all tools have [0-9]+ characters; declare at most 65536"):
        declared_tools(kept, [tool("one_more", {"description": "x" * 16_000})], LIMITS)
