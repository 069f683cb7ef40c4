"""The mini LLM calls a declared tool that its question names, and reads out what the tool says."""

import json
from typing import Any

import pytest
from mini_llm.tool_use import Function, FunctionCall, needed, read_out

WEATHER = Function("get_weather", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
TIME = Function("get_time", {})
DOOR = Function(
    "open_door",
    {"properties": {"floor": {"type": "integer"}, "side": {"enum": ["left", "right"]}}, "required": ["floor"]},
)


@pytest.mark.parametrize(
    ("question", "name", "arguments"),
    [
        ("What's the weather in Paris?", "get_weather", {"city": "Paris"}),
        ("and what is the weather in new york", "get_weather", {"city": "new"}),
        ("Tell me the weather for São Paulo please", "get_weather", {"city": "São Paulo"}),
        ("What time is it?", "get_time", {}),
        ("Open the right door on 3", "open_door", {"floor": 3, "side": "right"}),
    ],
)
def test_a_question_that_names_a_tool_calls_it(question: str, name: str, arguments: dict[str, Any]) -> None:
    call = needed(question, [WEATHER, TIME, DOOR])
    assert call is not None
    assert (call.name, json.loads(call.arguments)) == (name, arguments)


@pytest.mark.parametrize("question", ["", "How are you?", "What is the weather?", "Close the door", "sometimes"])
def test_a_question_that_needs_none_or_lacks_an_argument_calls_none(question: str) -> None:
    assert needed(question, [WEATHER, TIME, DOOR]) is None
    assert needed("What time is it?", []) is None


@pytest.mark.parametrize("parameters", [{}, {"properties": 5}, {"required": "all"}, {"properties": {"a": 5}}])
def test_a_schema_that_is_none_does_no_harm(parameters: dict[str, Any]) -> None:
    assert needed("What time is it?", [Function("get_time", parameters)]) == FunctionCall("get_time", "{}")


@pytest.mark.parametrize(
    ("results", "said"),
    [
        (['{"city": "Paris", "degrees": 21}'], "City: Paris, degrees: 21."),
        (["it is noon"], "It is noon."),
        (["It is noon!", "[1, 2]"], "It is noon! [1, 2]."),
        (["Error: no such city"], "Sorry, that did not work. no such city."),
        (["", " "], "The tool said nothing."),
    ],
)
def test_results_are_read_out(results: list[str], said: str) -> None:
    assert read_out(results) == said
