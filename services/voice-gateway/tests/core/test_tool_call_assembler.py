"""However a server cuts its tool calls up, the same calls come out."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.tool_call_assembler import MAX_CALLS, MAX_CHARS, ToolCallAssembler, TooMuch
from voice_gateway.core.tools import ToolCall

_JSON = st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=12), st.none()), max_size=4)
_NAMES = st.sampled_from(["get_weather", "get_time", "get"])
CALLS = st.lists(st.tuples(_NAMES, _JSON), min_size=1, max_size=5)


def new_ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"made{next(numbers)}"


def assembled(pieces: list[Any]) -> list[ToolCall]:
    assembler = ToolCallAssembler(new_ids())
    for piece in pieces:
        assembler.push([piece])
    return assembler.calls


def piece(index: int | None, id_: str | None = None, name: str | None = None, arguments: object = None) -> Any:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    whole = {"index": index, "id": id_, "type": "function", "function": function}
    return {key: value for key, value in whole.items() if value is not None}


def cut(text: str, at: list[int]) -> list[str]:
    places = sorted({0, len(text), *(place % (len(text) + 1) for place in at)})
    return [text[first:last] for first, last in itertools.pairwise(places)]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(CALLS, st.lists(st.integers(0, 80), max_size=8), st.booleans(), st.booleans(), st.data())
def test_calls_cut_anywhere_and_mixed_come_out_whole(
    calls: list[tuple[str, dict[str, Any]]], at: list[int], with_ids: bool, repeats_name: bool, data: st.DataObject
) -> None:
    """As OpenAI and vLLM send them: an index each; pieces of several calls may alternate."""
    queues = []
    for index, (name, arguments) in enumerate(calls):
        text = json.dumps(arguments, ensure_ascii=False)
        first = piece(index, f"id{index}" if with_ids else None, name, "")
        rest = [piece(index, None, name if repeats_name else None, part) for part in cut(text, at)]
        queues.append([first, *rest])
    mixed = []
    while any(queues):
        index = data.draw(st.sampled_from([number for number, queue in enumerate(queues) if queue]))
        mixed.append(queues[index].pop(0))
    begun = list(dict.fromkeys(piece["index"] for piece in mixed))
    found = assembled(mixed)
    assert [(call.name, json.loads(call.arguments)) for call in found] == [calls[index] for index in begun]
    assert len({call.id for call in found}) == len(found)
    if with_ids:
        assert [call.id for call in found] == [f"id{index}" for index in begun]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(CALLS, st.sampled_from([None, 0]), st.booleans(), st.booleans())
def test_whole_calls_come_out_whatever_index_or_id_is_missing(
    calls: list[tuple[str, dict[str, Any]]], index: int | None, with_ids: bool, as_object: bool
) -> None:
    pieces = [
        piece(index, f"id{n}" if with_ids else "", name, arguments if as_object else json.dumps(arguments))
        for n, (name, arguments) in enumerate(calls)
    ]
    found = assembled(pieces)
    assert [(call.name, json.loads(call.arguments)) for call in found] == calls
    assert len({call.id for call in found}) == len(found)


def test_a_name_in_pieces_is_put_together_and_a_name_said_again_is_not() -> None:
    assert [call.name for call in assembled([piece(0, "a", "get_"), piece(0, None, "time")])] == ["get_time"]
    assert [call.name for call in assembled([piece(0, "a", "get"), piece(0, "a", "get", "{}")])] == ["get"]


def test_a_call_without_arguments_has_an_empty_object_and_one_that_is_cut_off_stays_so() -> None:
    assert assembled([piece(0, "a", "now")]) == [ToolCall("a", "now", "{}")]
    assert assembled([piece(0, "a", "now", '{"zone": "E')]) == [ToolCall("a", "now", '{"zone": "E')]


def test_two_calls_of_one_id_are_told_apart() -> None:
    calls = assembled([piece(0, "same", "one", "{}"), piece(1, "same", "two", "{}")])
    assert [(call.id, call.name) for call in calls] == [("same", "one"), ("made1", "two")]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["index", "id", "function", "name", "arguments"]), inner),
        ),
        max_leaves=12,
    )
)
def test_nonsense_on_the_wire_makes_no_error(nonsense: object) -> None:
    assembler = ToolCallAssembler(new_ids())
    assembler.push(nonsense)
    assembler.push([nonsense])
    assert all(call.id for call in assembler.calls)


def test_what_one_answer_may_call_is_bounded() -> None:
    with pytest.raises(TooMuch, match=f"more than {MAX_CALLS} tool calls"):
        assembled([piece(n, f"id{n}", "f", "{}") for n in range(MAX_CALLS + 1)])
    with pytest.raises(TooMuch, match=f"more than {MAX_CHARS} characters"):
        assembled([piece(0, "a", "f", "x" * 1000)] * (MAX_CHARS // 1000 + 1))


def test_empty_pieces_bring_nothing() -> None:
    assembler = ToolCallAssembler(new_ids())
    assert not assembler.push(None)
    assert not assembler.push([])
    assert not assembler.push([{"index": 0, "function": {"arguments": ""}}])
    assert assembler.push([piece(0, "a", "now")])
    assert [call.name for call in assembler.calls] == ["now"]
