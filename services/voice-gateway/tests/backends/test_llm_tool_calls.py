"""How are tools offered to a model, and its calls read? Over the wire, as servers of all kinds stream them."""

import pytest
from fake_llm import Answer, Asked
from served_model import model
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.tokens import Usage
from voice_gateway.core.tools import NO_TOOLS, Tool, ToolCall, ToolChoice
from voice_gateway.errors import Broken, Unavailable

WEATHER = Tool("get_weather", "The weather now.", '{"type": "object", "required": ["city"]}')
OFFER = ToolChoice((WEATHER,))
ASKED = [Message("user", "What is the weather?")]


async def answer(
    answer: Answer, chat: list[Message] = ASKED, offer: ToolChoice = OFFER
) -> tuple[list[str | ToolCall | Usage], Asked]:
    async with model(answer) as (asked, server):
        pieces = [piece async for piece in asked.answer(chat, LlmOptions("m", 0.0, 8), offer)]
        return pieces, server.asked[0]


async def test_calls_come_whole_after_the_text_however_their_pieces_alternate() -> None:
    calls = (("a", "get_weather", '{"city": "Paris"}'), ("b", "get_weather", '{"city": "São Paulo"}'))
    pieces, asked = await answer(Answer("Let me look.", calls=calls))
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "Let me look. "
    assert pieces[-2:] == [ToolCall(*call) for call in calls]
    assert asked.body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "The weather now.",
                "parameters": {"type": "object", "required": ["city"]},
            },
        }
    ]
    assert "tool_choice" not in asked.body


async def test_a_call_sent_whole_and_without_an_id_gets_one_that_templates_take() -> None:
    whole = {"tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]}
    pieces, _ = await answer(Answer("", deltas=(whole,)))
    (call,) = pieces
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("get_weather", '{"city": "Paris"}')
    assert len(call.id) == 9
    assert call.id.isalnum()


async def test_a_model_that_has_called_enough_is_told_so_and_still_shown_the_tools() -> None:
    _, asked = await answer(Answer("Fine."), offer=ToolChoice((WEATHER,), may_call=False))
    assert asked.tools == ["get_weather"]
    assert asked.body["tool_choice"] == "none"


async def test_without_tools_nothing_of_them_is_on_the_wire() -> None:
    _, asked = await answer(Answer("Fine."), offer=NO_TOOLS)
    assert not {"tools", "tool_choice"} & asked.body.keys()


async def test_a_history_with_calls_has_the_shape_that_servers_want() -> None:
    call, broken = ToolCall("a", "get_weather", '{"city": "Paris"}'), ToolCall("b", "get_weather", '{"city": ')
    chat = [
        *ASKED,
        Message("assistant", "", (call, broken)),
        Message("tool", "20 degrees", call_id="a"),
        Message("tool", "Error: no JSON", call_id="b"),
    ]
    _, asked = await answer(Answer("It is warm."), chat)
    assert asked.body["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}},
                {"id": "b", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "20 degrees"},
        {"role": "tool", "tool_call_id": "b", "content": "Error: no JSON"},
    ]
    assert asked.fits_a_strict_template


async def test_an_answer_without_text_and_calls_is_a_failure() -> None:
    with pytest.raises(Broken, match="no text"):
        await answer(Answer("", deltas=({"tool_calls": []}, {"tool_calls": [{"index": 0, "function": {}}]})))


async def test_calls_of_a_connection_that_dies_are_not_handed_out() -> None:
    dying = Answer("", calls=(("a", "get_weather", '{"city": "Paris"}'),), then="die")
    async with model(dying, dying) as (asked, server):
        with pytest.raises(Unavailable):
            _ = [piece async for piece in asked.answer(ASKED, LlmOptions("m", 0.0, 8), OFFER)]
        assert len(server.asked) == 2


async def test_a_flood_of_calls_is_a_failure() -> None:
    flood = tuple({"tool_calls": [{"index": n, "id": f"i{n}", "function": {"name": "f"}}]} for n in range(40))
    with pytest.raises(Broken, match="more than 32 tool calls"):
        await answer(Answer("", deltas=flood))
