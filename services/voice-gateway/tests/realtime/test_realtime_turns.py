"""A conversation over the Realtime protocol: spoken, typed, with tools, interrupted; events in their right order."""

import asyncio
from functools import partial

from fake_llm import Answer, calling
from fake_riva import ramp
from lab import Lab, lab
from realtime_cases import TOOL
from realtime_client import RealtimeClient

COMMITTED = ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
RESPONSE = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]
LONG = "One two three four five six seven eight nine ten."


def once(types: list[str]) -> list[str]:
    """Without repeats of deltas."""
    return [kind for n, kind in enumerate(types) if n == 0 or kind != types[n - 1]]


async def connect(there: Lab, query: str = "") -> RealtimeClient:
    client = await RealtimeClient.connect(there.web_port, query)
    there.clients.append(client)
    await client.expect("session.created")
    return client


async def counting(there: Lab, client: RealtimeClient) -> str:
    """The agent counts for three seconds; the id of the response, once it is heard."""
    there.tts.seconds = lambda text: 3.0
    there.tts.tells_words = True
    there.llm.answers.append(Answer(LONG))
    await client.say_in_text("Count.")
    await client.ask()
    audible = await client.expect("response.output_audio.delta")
    response_id: str = audible["response_id"]
    return response_id


async def test_a_typed_question_is_answered_in_audio_and_words() -> None:
    async with lab() as there:
        client = await connect(there)
        await client.say_in_text("Is all well?")
        before = len(client.events)
        await client.ask()
        response = await client.done()
        await client.expect("rate_limits.updated")
        assert once(client.told()[before:]) == RESPONSE
        assert response["status"] == "completed"
        assert response["usage"]["input_tokens"] > 0 < response["usage"]["output_tokens"]
        assert client.transcript(response["id"]).strip() == "All right."
        assert len(client.audio(response["id"])) == 2 * 24_000 * 0.06
        assert there.llm.asked[0].chat == [("user", "Is all well?")]
        assert response["output"][0]["content"] == [{"type": "output_audio", "transcript": "All right."}]
        assert await client.closed_by_client() == 1000
    assert not client.of("error")


async def test_a_spoken_turn_is_answered_and_its_transcript_told_as_it_grows() -> None:
    async with lab() as there:
        client = await connect(there)
        await client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        await client.append(bytes(48_000))
        listened = await there.asr.stream()
        await listened.heard(16_000)
        listened.partial("what time is")
        delta = await client.expect("conversation.item.input_audio_transcription.delta")
        assert delta["delta"] == "what time "
        listened.final("what time is it")
        response = await client.done()
        assert response["status"] == "completed"
        assert there.llm.asked[0].chat == [("user", "what time is it")]
        completed = await client.expect("conversation.item.input_audio_transcription.completed")
        assert completed["transcript"] == "what time is it"
        deltas = client.of("conversation.item.input_audio_transcription.delta")
        assert "".join(event["delta"] for event in deltas) == "what time is it"
        assert {event["item_id"] for event in deltas} == {completed["item_id"]}
        committed = client.told().index("input_audio_buffer.committed")
        assert client.told()[committed : committed + 3] == COMMITTED


async def test_an_interruption_cancels_the_response_and_tells_what_was_heard() -> None:
    async with lab() as there:
        client = await connect(there)
        response_id = await counting(there, client)
        listened = await there.asr.stream()
        await client.changes.until(lambda: len(client.audio(response_id)) > 72_000, "a second and a half of audio")
        listened.partial("stop it")
        response = await client.done()
        assert (response["id"], response["status"]) == (response_id, "cancelled")
        assert response["status_details"]["reason"] == "turn_detected"
        truncated = await client.expect("conversation.item.truncated")
        assert 200 < truncated["audio_end_ms"] < 3000
        await client.send("conversation.item.retrieve", item_id=truncated["item_id"])
        heard = (await client.expect("conversation.item.retrieved"))["item"]["content"][0]["transcript"]
        assert LONG.startswith(heard)
        assert heard != LONG
        listened.final("stop it please")
        there.tts.behave()
        await client.done(2)
        assert there.llm.asked[1].chat == [("user", "Count."), ("assistant", heard), ("user", "stop it please")]


async def test_what_is_no_turn_interrupts_nothing_and_clients_do_not_hear_of_it() -> None:
    async with lab(turn_barge_in_after_s=4.0) as there:
        client = await connect(there)
        await client.update(voice_workflow={"events": True})
        response_id = await counting(there, client)
        listened = await there.asr.stream()
        listened.partial("hm what")
        await client.expect("voice_workflow.reply_held")
        listened.final("")
        await client.expect("voice_workflow.reply_resumed")
        response = await client.done()
        assert response["status"] == "completed"
        assert len(client.audio(response_id)) == 2 * 3 * 24_000
        assert not client.of("input_audio_buffer.speech_started")


async def test_a_response_that_may_not_be_interrupted_is_heard_whole_and_the_words_over_it_are_answered_then() -> None:
    async with lab() as there:
        client = await connect(there)
        detection = {"type": "server_vad", "interrupt_response": False}
        await client.update(audio={"input": {"turn_detection": detection}})
        there.tts.seconds = lambda text: 0.6
        await client.say_in_text("Count.")
        await client.ask()
        await client.expect("response.output_audio.delta")
        listened = await there.asr.stream()
        listened.final("And then what?")
        assert (await client.done())["status"] == "completed"
        assert (await client.done(2))["status"] == "completed"
        assert there.llm.asked[1].chat[-1] == ("user", "And then what?")


async def test_turns_that_shall_not_be_answered_are_remembered_until_a_response_is_asked_for() -> None:
    async with lab() as there:
        client = await connect(there)
        detection = {"type": "server_vad", "create_response": False}
        await client.update(audio={"input": {"turn_detection": detection}})
        listened = await there.asr.stream()
        for number, words in enumerate(("I am Rosa.", "I want a table."), start=1):
            listened.final(words)
            await client.changes.until(partial(_committed, client, number), "the end of a turn")
        assert not client.of("response.created")
        await client.ask()
        await client.done()
        assert there.llm.asked[0].chat == [("user", "I am Rosa.\nI want a table.")]


def _committed(client: RealtimeClient, times: int) -> bool:
    return len(client.of("input_audio_buffer.committed")) == times


async def test_a_turn_that_goes_on_after_its_answer_began_takes_it_back() -> None:
    async with lab() as there:
        client = await connect(there)
        there.llm.answers.append(Answer("", then="hang"))
        listened = await there.asr.stream()
        listened.final("Book a table")
        await client.expect("response.created")
        listened.partial("for two")
        first = await client.done()
        assert (first["status"], first["output"]) == ("cancelled", [])
        listened.final("for two")
        await client.done(2)
        assert there.llm.asked[-1].chat == [("user", "Book a table for two")]
        items = [event["item"] for event in client.of("conversation.item.done") if event["item"]["role"] == "user"]
        assert [item["content"][0]["transcript"] for item in items] == ["Book a table", "for two"]
        await client.send("conversation.item.delete", item_id=items[0]["id"])
        await client.expect("conversation.item.deleted")
        await client.say_in_text("Well?")
        await client.ask()
        await client.done(3)
        assert there.llm.asked[-1].chat[0] == ("user", "for two")


async def test_what_is_said_before_a_function_call_is_heard_whole_and_the_answer_is_another_response() -> None:
    async with lab() as there:
        client = await connect(there)
        await client.update(tools=[TOOL])
        there.llm.answers += [Answer("Let me look.", calls=(("c1", "look_up", '{"city": "Rome"}'),)), Answer("Noon.")]
        there.tts.seconds = lambda text: 0.5
        await client.say_in_text("What time is it in Rome?")
        await client.ask()
        first = await client.done()
        kinds = [(item["type"], item["status"]) for item in first["output"]]
        assert kinds == [("message", "completed"), ("function_call", "completed")]
        done = await client.expect("response.function_call_arguments.done")
        assert (done["name"], done["arguments"]) == ("look_up", '{"city": "Rome"}')
        output = {"type": "function_call_output", "call_id": done["call_id"], "output": "12:00"}
        await client.send("conversation.item.create", item=output)
        await client.ask()
        second = await client.done(2)
        assert second["output"][0]["content"][0]["transcript"] == "Noon."
        assert len(client.audio(first["id"])) + len(client.audio(second["id"])) == 48_000
        await client.send("conversation.item.truncate", **_at(second["output"][0]["id"], 0))
        await client.expect("conversation.item.truncated")
        await client.say_in_text("Thanks.")
        await client.ask()
        await client.done(3)
        assert ("assistant", "Let me look.") in [
            (role, text) for role, text in there.llm.asked[-1].chat if role == "assistant"
        ]


def _at(item_id: str, audio_end_ms: int) -> dict[str, object]:
    return {"item_id": item_id, "content_index": 0, "audio_end_ms": audio_end_ms}


async def test_two_functions_are_waited_for_and_the_response_that_was_asked_for_in_between_comes_then() -> None:
    async with lab() as there:
        client = await connect(there)
        await client.update(tools=[TOOL])
        both = (("c1", "look_up", "{}"), ("c2", "look_up", '{"n": 2}'))
        there.llm.answers += [Answer("", calls=both), Answer("Both.")]
        await client.say_in_text("Look twice.")
        await client.ask()
        calls = (await client.done())["output"]
        assert len(calls) == 2
        for number, call in enumerate(calls):
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": f"result {number}"}
            await client.send("conversation.item.create", item=output)
            if number == 0:
                await client.ask()
        second = await client.done(2)
        assert second["output"][0]["content"][0]["transcript"] == "Both."
        assert set(there.llm.asked[1].results.values()) == {"result 0", "result 1"}


async def test_the_result_of_a_function_that_comes_too_late_is_told_to_the_model_all_the_same() -> None:
    async with lab() as there:
        client = await connect(there)
        await client.update(tools=[TOOL])
        there.llm.answers.append(calling("look_up"))
        listened = await there.asr.stream()
        await client.say_in_text("Look.")
        await client.ask()
        call = (await client.done())["output"][0]
        listened.final("Never mind.")
        await client.done(2)
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "12:00"}
        await client.send("conversation.item.create", item=output)
        await client.ask()
        await client.done(3)
        assert "12:00" in there.llm.asked[-1].system


async def test_a_client_that_truncates_what_is_being_said_stops_it_there() -> None:
    async with lab() as there:
        client = await connect(there)
        response_id = await counting(there, client)
        await client.changes.until(lambda: len(client.audio(response_id)) > 40_000, "most of a second of audio")
        item_id = client.of("response.output_audio.delta")[0]["item_id"]
        await client.send("conversation.item.truncate", **_at(item_id, 650))
        response = await client.done()
        assert response["status"] == "cancelled"
        truncated = await client.expect("conversation.item.truncated")
        assert truncated["audio_end_ms"] == 650
        there.tts.behave()
        await client.say_in_text("Go on.")
        await client.ask()
        await client.done(2)
        assert there.llm.asked[-1].chat == [("user", "Count."), ("assistant", "One two"), ("user", "Go on.")]


async def test_silence_is_told_and_asked_about_again_and_again() -> None:
    async with lab(turn_idle_after_s=0, turn_idle_tries=1, then_works=False) as there:
        client = await connect(there)
        detection = {"type": "server_vad", "idle_timeout_ms": 5000}
        await client.update(audio={"input": {"turn_detection": detection}})
        triggered = await client.expect("input_audio_buffer.timeout_triggered")
        assert triggered["audio_end_ms"] - triggered["audio_start_ms"] == 5000
        response = await client.done()
        assert response["output"][0]["content"][0]["transcript"]
        assert not there.llm.asked


async def test_a_greeting_is_said_where_the_client_wants_one_and_not_otherwise() -> None:
    async with lab(greeting="Hello from the operator.", then_works=False) as there:
        quiet = await connect(there)
        client = await connect(there)
        await client.update(voice_workflow={"greeting": "Hello Rosa."})
        await client.say_in_text("Hm.")
        response = await client.done()
        assert response["output"][0]["content"][0]["transcript"] == "Hello Rosa."
        assert not quiet.of("response.created")


async def test_audio_that_comes_all_at_once_is_heard_as_it_was_spoken() -> None:
    async with lab() as there:
        client = await connect(there)
        await client.append(ramp(3 * 24_000), 144_000)
        listened = await there.asr.stream()
        began = asyncio.get_running_loop().time()
        await listened.heard(2 * 16_000 * 3 - 3_200)
        assert asyncio.get_running_loop().time() - began > 1.0


async def test_a_transcription_session_transcribes_and_answers_nothing() -> None:
    async with lab() as there:
        client = await connect(there, "?intent=transcription")
        assert client.events[0]["session"]["type"] == "transcription"
        await client.update("transcription", audio={"input": {"turn_detection": {"type": "server_vad"}}})
        listened = await there.asr.stream()
        listened.partial("good")
        listened.final("Good morning.")
        completed = await client.expect("conversation.item.input_audio_transcription.completed")
        assert completed["transcript"] == "Good morning."
        await client.expect("conversation.item.input_audio_transcription.segment")
        error = await client.error(await client.send("response.create"))
        assert error["code"] == "invalid_value"
        assert not client.of("response.created")
        assert not there.llm.asked


async def test_a_model_that_fails_is_told_and_the_response_is_marked_as_failed() -> None:
    async with lab() as there:
        client = await connect(there)
        there.llm.answers.append(Answer(status=500))
        await client.say_in_text("Is all well?")
        await client.ask()
        response = await client.done()
        assert response["status"] == "failed"
        assert response["status_details"]["error"]["code"].startswith("llm_")
        assert (await client.expect("error"))["error"]["type"] == "server_error"
