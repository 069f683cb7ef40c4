"""What the model writes is checked before anybody is asked, and no schema can keep the gateway busy."""

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.tool_arguments import BadArguments, arguments, check_schema
from voice_gateway.core.tools import Executor, Tool, ToolCall

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 9}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city"],
    "additionalProperties": False,
}


def checked(written: str, schema: Any = CITY, by: Executor = "http") -> dict[str, Any]:
    return arguments(ToolCall("a", "get_weather", written), Tool("get_weather", parameters=json.dumps(schema), by=by))


@pytest.mark.parametrize("by", ["http", "mcp", "client"])
def test_what_fits_is_taken(by: Executor) -> None:
    assert checked('{"city": "Paris", "days": 2}', by=by) == {"city": "Paris", "days": 2}


@pytest.mark.parametrize("by", ["http", "mcp", "client"])
@pytest.mark.parametrize(
    ("written", "says"),
    [
        ('{"city": "Par', "the arguments are no valid JSON (Unterminated string"),
        ("", "no valid JSON"),
        ('{"days": NaN}', "no valid JSON (NaN is no JSON)"),
        ("[" * 100_000, "the arguments have 100000 characters; write at most 16384"),
        ("[" * 10_000, "no valid JSON"),
        ('["Paris"]', "must be a JSON object; call get_weather again with one"),
        ("{}", "don't fit: 'city' is a required property"),
        ('{"city": 5}', "city: 5 is not of type 'string'"),
        ('{"city": "Paris", "days": 0}', "days: 0 is less than the minimum of 1"),
        ('{"city": "Paris", "country": "F"}', "'country' was unexpected"),
        ('{"city": "Llanfairpwllgwyn"}', "city: 'Llanfairpwllgwyn' is too long"),
    ],
)
def test_what_does_not_fit_is_told_to_the_model(written: str, says: str, by: Executor) -> None:
    with pytest.raises(BadArguments) as refusal:
        checked(written, by=by)
    assert says in str(refusal.value)
    assert len(str(refusal.value)) < 1000


def test_the_operators_schemas_are_checked_whole() -> None:
    schema = {"properties": {"a": {"$ref": "#/$defs/name"}}, "$defs": {"name": {"pattern": "^[a-z]+$"}}}
    assert checked('{"a": "x"}', schema) == {"a": "x"}
    with pytest.raises(BadArguments, match="does not match"):
        checked('{"a": "X"}', schema)


def test_no_schema_makes_the_gateway_fetch_anything() -> None:
    with pytest.raises(BadArguments, match="schema can't be used"):
        checked("{}", {"$ref": "http://127.0.0.1:9/schema.json"})


@pytest.fixture
def _in_two_seconds() -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError("the check takes for ever")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _tower(levels: int) -> dict[str, Any]:
    """Each level looks at the next one twice."""
    names = {f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**names, f"l{levels}": {"type": "string"}}, "$ref": "#/$defs/l0"}


@pytest.mark.usefixtures("_in_two_seconds")
@pytest.mark.parametrize("by", ["mcp", "client"])
@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"pattern": "^(a+)+$"}}},
        {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
        {"properties": {"a": {"$ref": "#"}}, "$ref": "#"},
        _tower(40),
    ],
)
def test_a_schema_from_outside_costs_no_more_than_to_read_it(schema: Any, by: Executor) -> None:
    checked(json.dumps({"a": "a" * 40 + "!", "a" * 40 + "!": 1}), schema, by)


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "items", "prefixItems", "enum", "minimum", "minLength", "a",
                 "additionalProperties", "const", "$ref", "$id", "$schema", "anyOf"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_JSON, st.dictionaries(st.text(max_size=3), _JSON, max_size=3))
def test_any_schema_that_is_taken_can_be_used(schema: object, given_arguments: dict[str, object]) -> None:
    if check_schema(schema, whole=False):
        return
    with suppress(BadArguments):
        assert checked(json.dumps(given_arguments), schema, "client") == given_arguments


def test_what_is_no_schema_is_named() -> None:
    assert "mapping" in check_schema(["no"], whole=True)
    assert "is no JSON schema: properties: 5 is not of type 'object'" in check_schema({"properties": 5}, whole=True)
    assert check_schema(CITY, whole=True) == check_schema(CITY, whole=False) == ""
