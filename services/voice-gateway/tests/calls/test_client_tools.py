"""Does a caller's client carry out tools? Over the wire: declared, called, answered, late, cancelled, remembered."""

from typing import Any

import pytest
from fake_llm import Answer, calling
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from lab import Lab, lab
from raw_caller import Caller
from voice_gateway.app import load
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that tests may be short of time; the gateway is not to mind."""
    monkeypatch.setattr(load, "MOST_LAG_S", float("inf"))


def tool(name: str, required: str = "", **fields: Any) -> pb.Tool:
    schema = Struct()
    schema.update(
        {"type": "object", "properties": {required: {"type": "string"}}, "required": [required]} if required else {}
    )
    return pb.Tool(name=name, description=f"What {name} does.", parameters=schema, **fields)


WEATHER, DOOR = tool("get_weather", "city"), tool("open_door", side_effects=True)


async def tool_call(caller: Caller, nth: int = 1) -> pb.ToolCall:
    await caller.changes.until(lambda: len(caller.of("tool_call")) >= nth, lambda: f"call {nth} of a tool")
    return caller.of("tool_call")[nth - 1].tool_call


async def give(caller: Caller, call: pb.ToolCall, content: str, *, failed: bool = False) -> None:
    await caller.send(tool_result=pb.ToolResult(id=call.id, content=content, failed=failed))


async def test_a_tool_is_called_and_its_result_is_spoken_and_remembered() -> None:
    async with lab() as there:
        there.llm.answers.extend([calling("get_weather", city="Paris"), Answer("It is 20 degrees.")])
        caller = await there.call(tools=[WEATHER])
        await caller.type("How warm is it in Paris?")
        call = await tool_call(caller)
        assert (call.name, call.reply, call.timeout_s) == ("get_weather", 1, 10.0)
        assert MessageToDict(call.arguments) == {"city": "Paris"}
        assert there.llm.asked[0].tools == ["get_weather"]
        await give(caller, call, '{"degrees": 20}')
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "It is 20 degrees."
        assert caller.audio(1)
        assert there.llm.asked[1].results == {"call0001a": '{"degrees": 20}'}
        await caller.type("And tomorrow?")
        asked = await there.llm.request(3)
        assert [entry["role"] for entry in asked.body["messages"][1:]] == [
            "user",
            "assistant",
            "tool",
            "assistant",
            "user",
        ]
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert not caller.of("error")
        assert await there.metric('voice_tool_calls_total{by="client",outcome="done"}') == 1


async def test_calls_of_one_answer_run_together_and_their_results_keep_the_models_order() -> None:
    async with lab() as there:
        both = Answer("Let me look.", calls=(("a", "get_weather", '{"city": "Paris"}'), ("b", "open_door", "")))
        there.llm.answers.extend([both, Answer("Done.")])
        caller = await there.call(tools=[WEATHER, DOOR])
        await caller.type("Go.")
        first, second = await tool_call(caller, 1), await tool_call(caller, 2)
        await give(caller, second, "open")
        await give(caller, first, "warm")
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "Let me look. Done."
        assert list(there.llm.asked[1].results.items()) == [("a", "warm"), ("b", "open")]


async def test_a_tool_that_fails_or_is_late_is_told_to_the_model_in_a_sentence() -> None:
    async with lab() as there:
        twice = Answer("", calls=(("a", "get_weather", '{"city": "Paris"}'), ("b", "open_door", "{}")))
        there.llm.answers.extend([twice, Answer("Sorry.")])
        caller = await there.call(tools=[WEATHER, tool("open_door", side_effects=True, timeout_s=0.05)])
        await caller.type("Go.")
        await give(caller, await tool_call(caller, 1), "no such city", failed=True)
        cancelled = await caller.expect("tool_call_cancelled")
        late = await tool_call(caller, 2)
        assert cancelled.tool_call_cancelled.id == late.id
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert there.llm.asked[1].results == {
            "a": "Error: no such city",
            "b": "Error: the tool did not answer within 0.05 s; it may have taken effect all the same.",
        }
        await give(caller, late, "too late")
        await caller.type("Thanks.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert not caller.of("error")
        assert await there.metric('voice_tool_calls_total{by="client",outcome="timed out"}') == 1


async def test_arguments_that_do_not_fit_and_tools_that_are_not_there_reach_nobody() -> None:
    async with lab() as there:
        calls = (("a", "get_weather", '{"city": 5}'), ("b", "get_weather", '{"city": "Pa'), ("c", "launch", "{}"))
        there.llm.answers.extend([Answer("", calls=calls), Answer("Sorry.")])
        caller = await there.call(tools=[WEATHER])
        await caller.type("Go.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert not caller.of("tool_call")
        results = there.llm.asked[1].results
        assert "5 is not of type 'string'" in results["a"]
        assert "no valid JSON" in results["b"]
        assert "there is no tool 'launch'" in results["c"]
        assert there.llm.asked[1].body["messages"][-4]["tool_calls"][1]["function"]["arguments"] == "{}"
        assert await there.metric('voice_tool_calls_total{by="nobody",outcome="refused"}') == 1


async def test_an_interrupt_cancels_the_call_and_the_history_says_so() -> None:
    async with lab() as there:
        there.llm.answers.append(calling("open_door"))
        caller = await there.call(tools=[DOOR])
        await caller.type("Open the door.")
        call = await tool_call(caller)
        await caller.send(interrupt=pb.Interrupt())
        assert (await caller.expect("tool_call_cancelled")).tool_call_cancelled.id == call.id
        await give(caller, call, "opened")
        await caller.type("What happened?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        (result,) = there.llm.asked[1].results.values()
        assert result == "Cancelled: the user spoke before the result came. It may have taken effect all the same."
        assert not caller.of("error")


async def test_a_barge_in_during_a_call_cancels_it_and_keeps_what_was_heard_before_it() -> None:
    async with lab() as there:
        there.llm.answers.append(Answer("Let me look.", calls=(("a", "get_weather", '{"city": "Paris"}'),)))
        caller = await there.call(tools=[WEATHER])
        stream = await there.asr.stream()
        stream.final("How warm is it?")
        await tool_call(caller)
        await caller.expect("reply_audio")
        stream.final("No, stop.")
        await caller.expect("tool_call_cancelled")
        heard = (await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)).heard_text
        await caller.turn(TurnEvent.REPLY_ENDED)
        messages = there.llm.asked[-1].body["messages"]
        calls = [entry for entry in messages if entry.get("tool_calls")]
        assert [entry["content"] or "" for entry in calls] == [heard]
        assert there.llm.asked[-1].results == {"a": "Cancelled: the user spoke before the result came."}


async def test_a_draft_calls_no_tool_of_the_client_before_its_turn_is_decided() -> None:
    async with lab(turn_end_silence_s=1.0) as there:
        there.llm.answers.append(calling("get_weather", city="Paris"))
        caller = await there.call(tools=[WEATHER, DOOR])
        stream = await there.asr.stream()
        stream.final("I would like")
        await there.llm.request()
        await there.llm.quiet()
        stream.final("to know how warm it is.")
        there.llm.answers.extend([calling("get_weather", city="Paris"), Answer("Warm.")])
        call = await tool_call(caller)
        assert call.reply == 2
        assert caller.told().index("tool_call") > caller.told().index("REPLY_STARTED")
        await give(caller, call, "warm")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert len(caller.of("tool_call")) == 1
        assert there.llm.asked[-1].chat[0] == ("user", "I would like to know how warm it is.")


async def test_a_model_that_calls_without_end_must_answer_after_the_last_round() -> None:
    async with lab() as there:
        there.llm.usual = calling("get_weather", city="Paris")
        caller = await there.call(tools=[WEATHER])
        await caller.type("Go.")
        for nth in range(1, 6):
            await give(caller, await tool_call(caller, nth), "again")
        assert (await caller.error(pb.Error.LLM_BROKEN)).retryable
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "Sorry, something went wrong. Please ask me again."
        assert len(there.llm.asked) == 6
        assert there.llm.asked[-1].body["tool_choice"] == "none"
        there.llm.usual = Answer()


async def test_an_empty_answer_after_a_tool_gets_the_apology() -> None:
    async with lab() as there:
        there.llm.answers.extend([calling("get_weather", city="Paris"), Answer("")])
        caller = await there.call(tools=[WEATHER])
        await caller.type("Go.")
        await give(caller, await tool_call(caller), "warm")
        assert "Sorry" in (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text


async def test_tools_can_be_added_and_replaced_during_a_call() -> None:
    async with lab() as there:
        caller = await there.call(tools=[WEATHER])
        await caller.send(update=pb.SessionUpdate(tools=[DOOR]))
        await _offered(there, caller, ["get_weather", "open_door"], 1)
        await caller.send(update=pb.SessionUpdate(tools=[DOOR], replace_tools=True))
        await _offered(there, caller, ["open_door"], 2)
        await caller.send(update=pb.SessionUpdate(replace_tools=True))
        await _offered(there, caller, [], 3)


async def _offered(there: Lab, caller: Caller, names: list[str], nth: int) -> None:
    await caller.type("Hello?")
    assert (await there.llm.request(nth)).tools == names
    await caller.turn(TurnEvent.REPLY_ENDED, nth)


async def test_a_call_that_ends_while_a_tool_runs_leaves_nothing_behind() -> None:
    async with lab() as there:
        there.llm.answers.append(calling("open_door"))
        caller = await there.call(tools=[DOOR])
        await caller.type("Open.")
        await tool_call(caller)
        await caller.hang_up()
        assert await caller.over() == pb.SessionEnded.CALLER_ENDED
        assert caller.of("tool_call_cancelled")


async def test_a_tool_call_survives_a_dropped_stream() -> None:
    async with lab() as there:
        there.llm.answers.extend([calling("get_weather", city="Paris"), Answer("Warm.")])
        caller = await there.call(numbered=True, tools=[WEATHER])
        await caller.type("Go.")
        call, started = await tool_call(caller), caller.of("started")[0].started
        caller.cancel()
        await caller.over()
        back = there.caller(numbered=True, first_seq=caller.seq + 1)
        await back.start(resume=pb.Resume(token=started.resume_token, last_server_seq=caller.received[-1].seq))
        await give(back, call, "warm")
        assert (await back.turn(TurnEvent.REPLY_ENDED, 1)).text == "Warm."
        await back.hang_up()
