"""What does each event of a client do? One case an effect or error; the table in docs/realtime.md is made of them.

A case is an async function of a client whose session has begun with push-to-talk, on a gateway whose backends the case
plays. Its docstring is its row: what is sent, and what comes of it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fake_llm import Answer, calling
from lab import Lab
from realtime_client import RealtimeClient, user_message

Case = Callable[[Lab, RealtimeClient], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    """One case of one event."""

    event: str
    sent: str
    effect: str
    case: Case


ROWS: list[Row] = []
TOOL = {"type": "function", "name": "look_up", "description": "Looks up.", "parameters": {"type": "object"}}


def case(event: str, sent: str, effect: str) -> Callable[[Case], Case]:
    """Make a row of a case."""

    def kept(made: Case) -> Case:
        ROWS.append(Row(event, sent, effect, made))
        return made

    return kept


async def refused(client: RealtimeClient, code: str, param: str | None, type_: str, **fields: Any) -> None:
    """The event is refused with this code, for this parameter."""
    error = await client.error(await client.send(type_, **fields))
    assert (error["code"], error["param"]) == (code, param), error
    assert len(error["message"].split()) > 2


def update(**session: Any) -> dict[str, Any]:
    return {"session": {"type": "realtime", **session}}


async def answered(there: Lab, client: RealtimeClient, words: str = "Is all well?", **response: Any) -> dict[str, Any]:
    """A response to a typed message."""
    n = len(client.of("response.done"))
    await client.say_in_text(words)
    await client.ask(**response)
    return await client.done(n + 1)


def _names(item_id: str, event: dict[str, Any]) -> bool:
    return bool(event["item_id"] == item_id)


def _has_more(client: RealtimeClient, type_: str, before: int) -> bool:
    return len(client.of(type_)) > before


# ---------------------------------------------------------------------------------------- session.update


@case("session.update", "`instructions`", "holds from the next response on")
async def instructions(there: Lab, client: RealtimeClient) -> None:
    assert (await client.update(instructions="Be brief."))["instructions"] == "Be brief."
    asked = len(there.llm.asked)
    await answered(there, client)
    assert there.llm.asked[asked].system == "Be brief."


@case(
    "session.update",
    "`model`",
    "the name of a model that `CALLER_MAY_SET` allows; OpenAI's own names mean the operator's",
)
async def model(there: Lab, client: RealtimeClient) -> None:
    mine = (await client.update(model="gpt-realtime"))["model"]
    assert mine == "meta/llama-3.1-8b-instruct"
    assert (await client.update(model="other/model"))["model"] == "other/model"
    asked = len(there.llm.asked)
    await answered(there, client)
    assert there.llm.asked[asked].body["model"] == "other/model"


@case("session.update", '`output_modalities: ["text"]`', "responses are text only; no voice is asked")
async def text_only(there: Lab, client: RealtimeClient) -> None:
    spoken = len(there.tts.spoken)
    assert (await client.update(output_modalities=["text"]))["output_modalities"] == ["text"]
    response = await answered(there, client)
    assert response["output"][0]["content"] == [{"type": "output_text", "text": "All right."}]
    assert client.transcript(response["id"]).strip() == "All right."
    assert len(there.tts.spoken) == spoken


@case("session.update", "`audio.output.format` pcm, pcmu, pcma", "the audio of later responses; 24 kHz, 8 kHz, 8 kHz")
async def output_formats(there: Lab, client: RealtimeClient) -> None:
    for kind, size in (("audio/pcm", 2 * 1440), ("audio/pcmu", 480), ("audio/pcma", 480)):
        session = await client.update(audio={"output": {"format": {"type": kind}}})
        assert session["audio"]["output"]["format"]["type"] == kind
        response = await answered(there, client)
        assert len(client.audio(response["id"])) == size, kind
        assert response["audio"]["output"]["format"]["type"] == kind


@case("session.update", "`audio.input.format` pcm, pcmu, pcma", "how later audio is read; 24 kHz, 8 kHz, 8 kHz")
async def input_formats(there: Lab, client: RealtimeClient) -> None:
    listened = await there.asr.stream(len(there.asr.listened))
    for kind, rate_bytes in (("audio/pcm", 48_000), ("audio/pcmu", 8_000), ("audio/pcma", 8_000)):
        session = await client.update(audio={"input": {"format": {"type": kind}}})
        assert session["audio"]["input"]["format"]["type"] == kind
        before = len(listened.audio)
        await client.append(bytes([0xD5]) * rate_bytes)
        await listened.heard(before + 30_000)


@case("session.update", "`audio.input.format` of another rate", "error `invalid_value`")
async def other_rates(there: Lab, client: RealtimeClient) -> None:
    wrong = update(audio={"input": {"format": {"type": "audio/pcm", "rate": 16_000}}})
    await refused(client, "invalid_value", "session.audio.input.format.rate", "session.update", **wrong)


@case("session.update", "`audio.output.voice`", "the voice of later responses; OpenAI's names mean the operator's")
async def voice(there: Lab, client: RealtimeClient) -> None:
    assert (await client.update(audio={"output": {"voice": "marin"}}))["audio"]["output"]["voice"] == "default"
    assert (await client.update(audio={"output": {"voice": {"id": "Rob"}}}))["audio"]["output"]["voice"] == "Rob"
    spoken = len(there.tts.spoken)
    await answered(there, client)
    assert there.tts.spoken[spoken].voice == "Rob"


@case("session.update", "`audio.output.speed` other than 1", "error `invalid_value`")
async def speed(there: Lab, client: RealtimeClient) -> None:
    await client.update(audio={"output": {"speed": 1}})
    wrong = update(audio={"output": {"speed": 1.2}})
    await refused(client, "invalid_value", "session.audio.output.speed", "session.update", **wrong)


@case("session.update", "`audio.input.transcription`", "transcripts of the caller's speech; null = none are told")
async def transcription(there: Lab, client: RealtimeClient) -> None:
    session = await client.update(audio={"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}})
    assert session["audio"]["input"]["transcription"]["language"] == "en-US"
    assert (await client.update(audio={"input": {"transcription": None}}))["audio"]["input"]["transcription"] is None
    wrong = update(audio={"input": {"transcription": {"model": "somebody/else"}}})
    await refused(client, "invalid_value", "session.audio.input.transcription.model", "session.update", **wrong)
    for field in ("prompt", "delay", "languages"):
        wrong = update(audio={"input": {"transcription": {field: "x"}}})
        param = f"session.audio.input.transcription.{field}"
        await refused(client, "invalid_value", param, "session.update", **wrong)


@case("session.update", "`transcription.language`, `keywords` after the session began", "error `invalid_value`")
async def late_language(there: Lab, client: RealtimeClient) -> None:
    where = "session.audio.input.transcription"
    for field, value in (("language", "de"), ("keywords", ["Parakeet"])):
        wrong = update(audio={"input": {"transcription": {field: value}}})
        await refused(client, "invalid_value", f"{where}.{field}", "session.update", **wrong)
    await client.update(audio={"input": {"transcription": {"language": "en"}}})


@case("session.update", "`noise_reduction`, `prompt`, `reasoning` other than null", "error `invalid_value`")
async def not_served(there: Lab, client: RealtimeClient) -> None:
    await client.update(audio={"input": {"noise_reduction": None}}, prompt=None, truncation="auto", include=[])
    wrong = update(audio={"input": {"noise_reduction": {"type": "near_field"}}})
    await refused(client, "invalid_value", "session.audio.input.noise_reduction", "session.update", **wrong)
    for field, value in (("prompt", {"id": "p"}), ("reasoning", {"effort": "low"}), ("parallel_tool_calls", False)):
        await refused(client, "invalid_value", f"session.{field}", "session.update", **update(**{field: value}))


@case("session.update", "`truncation` or `include` of another value than `auto` and `[]`", "error `invalid_value`")
async def other_truncation(there: Lab, client: RealtimeClient) -> None:
    ratio = {"type": "retention_ratio", "retention_ratio": 0.5}
    await refused(client, "invalid_value", "session.truncation", "session.update", **update(truncation=ratio))
    include = ["item.input_audio_transcription.logprobs"]
    await refused(client, "invalid_value", "session.include", "session.update", **update(include=include))


@case("session.update", "`turn_detection: server_vad`", "its numbers are those of the gateway's turn-taking; told back")
async def server_vad(there: Lab, client: RealtimeClient) -> None:
    wanted = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 200, "silence_duration_ms": 700}
    session = await client.update(audio={"input": {"turn_detection": wanted}})
    answers = {"create_response": True, "interrupt_response": True, "idle_timeout_ms": None}
    assert session["audio"]["input"]["turn_detection"] == {**wanted, **answers}
    wrong = update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}})
    param = "session.audio.input.turn_detection.threshold"
    await refused(client, "invalid_value", param, "session.update", **wrong)


@case(
    "session.update",
    "`turn_detection: semantic_vad`",
    "`eagerness` makes the silences that end a turn longer or shorter",
)
async def semantic_vad(there: Lab, client: RealtimeClient) -> None:
    silences = {}
    for eagerness in ("low", "medium", "high", "auto"):
        wanted = {"type": "semantic_vad", "eagerness": eagerness}
        session = await client.update(audio={"input": {"turn_detection": wanted}})
        assert session["audio"]["input"]["turn_detection"]["eagerness"] == eagerness
        silences[eagerness] = session["voice_workflow"]["endpointing"]["incomplete_silence_s"]
    assert silences["low"] > silences["medium"] == silences["auto"] > silences["high"]


@case(
    "session.update",
    "`turn_detection: null`",
    "only `input_audio_buffer.commit` ends a turn; only a client stops a response",
)
async def push_to_talk(there: Lab, client: RealtimeClient) -> None:
    session = await client.update(audio={"input": {"turn_detection": None}})
    assert session["audio"]["input"]["turn_detection"] is None


@case("session.update", "`tools`, `tool_choice`", "what later responses may or must call")
async def tool_settings(there: Lab, client: RealtimeClient) -> None:
    session = await client.update(tools=[TOOL], tool_choice={"type": "function", "name": "look_up"})
    assert session["tools"][0]["name"] == "look_up"
    there.llm.answers.append(Answer("Here you are."))
    asked = len(there.llm.asked)
    await answered(there, client)
    assert there.llm.asked[asked].tools == ["look_up"]
    assert there.llm.asked[asked].body["tool_choice"] == {"type": "function", "function": {"name": "look_up"}}
    await client.update(tool_choice="required")
    await answered(there, client)
    assert there.llm.asked[-1].body["tool_choice"] == "required"
    wrong = update(tool_choice={"type": "function", "name": "unknown"})
    await refused(client, "invalid_value", "session.tool_choice", "session.update", **wrong)
    wrong = update(tools=[{"type": "mcp", "server_label": "x"}])
    await refused(client, "invalid_value", "session.tools[0].type", "session.update", **wrong)


@case("session.update", "`max_output_tokens`", "the longest reply; `inf` = as the operator set it")
async def longest(there: Lab, client: RealtimeClient) -> None:
    assert (await client.update(max_output_tokens=17))["max_output_tokens"] == 17
    asked = len(there.llm.asked)
    await answered(there, client)
    assert there.llm.asked[asked].body["max_tokens"] == 17
    assert (await client.update(max_output_tokens="inf"))["max_output_tokens"] == "inf"
    await refused(client, "invalid_value", "session.max_output_tokens", "session.update", **update(max_output_tokens=0))


@case("session.update", "`tracing`", "its names are told back; the gateway's log names every session anyhow")
async def tracing(there: Lab, client: RealtimeClient) -> None:
    assert (await client.update(tracing="auto"))["tracing"] == "auto"
    named = {"workflow_name": "booking", "group_id": "g1"}
    assert (await client.update(tracing=named))["tracing"] == named
    assert (await client.update(tracing=None))["tracing"] is None


@case(
    "session.update",
    "`voice_workflow`",
    "what this gateway has on top: greeting, hotwords, temperature, endpointing, events",
)
async def own_key(there: Lab, client: RealtimeClient) -> None:
    more = {"temperature": 0.1, "endpointing": {"end_silence_s": 0.4}, "events": True}
    session = await client.update(voice_workflow=more)
    assert session["voice_workflow"]["temperature"] == 0.1
    assert session["voice_workflow"]["endpointing"]["end_silence_s"] == 0.4
    asked = len(there.llm.asked)
    await answered(there, client)
    assert there.llm.asked[asked].body["temperature"] == 0.1
    wrong = update(voice_workflow={"hotwords": [{"phrase": "Riva"}]})
    await refused(client, "invalid_value", "session.voice_workflow.hotwords", "session.update", **wrong)


@case("session.update", "a field of the beta, or one that nobody knows", "error `unknown_parameter`")
async def unknown_fields(there: Lab, client: RealtimeClient) -> None:
    beta = {"modalities": ["text"], "input_audio_format": "pcm16", "turn_detection": None, "temperature": 0.8}
    for field, value in {**beta, "nonsense": 1}.items():
        await refused(client, "unknown_parameter", f"session.{field}", "session.update", **update(**{field: value}))
    wrong = update(audio={"input": {"turn_detection": {"type": "server_vad", "patience": 1}}})
    param = "session.audio.input.turn_detection.patience"
    await refused(client, "unknown_parameter", param, "session.update", **wrong)


@case("session.update", "no `session`, no `type`, a session of the other kind", "error")
async def other_kind(there: Lab, client: RealtimeClient) -> None:
    await refused(client, "missing_required_parameter", "session", "session.update")
    await refused(client, "invalid_value", "session", "session.update", session={"instructions": "x"})
    await refused(client, "invalid_value", "session.type", "session.update", session={"type": "transcription"})


# ------------------------------------------------------------------------------------- input_audio_buffer


@case("input_audio_buffer.append", "audio", "is heard as it was spoken; there is no answer")
async def append(there: Lab, client: RealtimeClient) -> None:
    listened = await there.asr.stream(len(there.asr.listened))
    before = len(listened.audio)
    await client.append(bytes(9_600))
    await listened.heard(before + 6_000)


@case("input_audio_buffer.append", "what is no base64, or half a sample", "error `invalid_value`")
async def bad_audio(there: Lab, client: RealtimeClient) -> None:
    await refused(client, "invalid_value", "audio", "input_audio_buffer.append", audio="§§")
    await refused(client, "invalid_value", "audio", "input_audio_buffer.append", audio="AAAA")
    await refused(client, "invalid_type", "audio", "input_audio_buffer.append", audio=7)
    await refused(client, "missing_required_parameter", "audio", "input_audio_buffer.append")


@case(
    "input_audio_buffer.append",
    "more than 30 s ahead of time",
    "error `input_audio_buffer_full`; that append is not taken",
)
async def too_much_audio(there: Lab, client: RealtimeClient) -> None:
    for _ in range(5):
        await client.append(bytes(10 * 48_000), 10 * 48_000)
    error = (await client.expect("error"))["error"]
    assert (error["code"], error["param"]) == ("input_audio_buffer_full", "audio")
    await client.send("input_audio_buffer.clear")


@case(
    "input_audio_buffer.commit",
    "after audio",
    "the turn ends: `committed`, and a user item; a response when it is asked for",
)
async def commit(there: Lab, client: RealtimeClient) -> None:
    listened = await there.asr.stream(len(there.asr.listened))
    await client.append(bytes(24_000))
    await client.send("input_audio_buffer.commit")
    listened.final("What time is it?")
    committed = await client.expect("input_audio_buffer.committed")
    done = await client.expect("conversation.item.done", lambda event: event["item"]["id"] == committed["item_id"])
    assert done["item"]["content"] == [{"type": "input_audio", "transcript": "What time is it?"}]
    assert not client.of("response.created")
    await client.ask()
    assert (await client.done())["status"] == "completed"
    assert there.llm.asked[-1].chat[-1] == ("user", "What time is it?")


@case("input_audio_buffer.commit", "and `response.create` at once", "the response waits for the words of the turn")
async def commit_and_ask(there: Lab, client: RealtimeClient) -> None:
    listened = await there.asr.stream(len(there.asr.listened))
    await client.append(bytes(24_000))
    await client.send("input_audio_buffer.commit")
    await client.ask()
    await listened.asked()
    listened.final("And now?")
    await client.done()
    assert there.llm.asked[-1].chat[-1] == ("user", "And now?")


@case("input_audio_buffer.commit", "of audio in which nothing is said", "an item without words")
async def commit_silence(there: Lab, client: RealtimeClient) -> None:
    await client.append(bytes(24_000))
    await client.send("input_audio_buffer.commit")
    committed = await client.expect("input_audio_buffer.committed")
    done = await client.expect("conversation.item.done", lambda event: event["item"]["id"] == committed["item_id"])
    assert done["item"]["content"] == [{"type": "input_audio", "transcript": ""}]


@case("input_audio_buffer.commit", "of less than 100 ms", "error `input_audio_buffer_commit_empty`")
async def commit_nothing(there: Lab, client: RealtimeClient) -> None:
    await refused(client, "input_audio_buffer_commit_empty", None, "input_audio_buffer.commit")


@case("input_audio_buffer.clear", "", "`input_audio_buffer.cleared`; what came since the last commit is not said")
async def clear(there: Lab, client: RealtimeClient) -> None:
    listened = await there.asr.stream(len(there.asr.listened))
    await client.append(bytes(24_000))
    listened.partial("never mind")
    await there.heard("never mind")
    await client.send("input_audio_buffer.clear")
    await client.expect("input_audio_buffer.cleared")
    listened.final("Never mind.")
    await refused(client, "input_audio_buffer_commit_empty", None, "input_audio_buffer.commit")
    await answered(there, client, "Go on.")
    assert all("ever mind" not in words for _, words in there.llm.asked[-1].chat)


# ------------------------------------------------------------------------------------------ conversation


@case(
    "conversation.item.create",
    "a user, system or assistant message",
    "`conversation.item.added` and `.done`; no response",
)
async def create(there: Lab, client: RealtimeClient) -> None:
    await client.say_in_text("I am Rosa.")
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello Rosa."}]}
    await client.send("conversation.item.create", item=said)
    note = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Rosa is a member."}]}
    await client.send("conversation.item.create", item={**note, "id": "note_1"})
    await client.expect("conversation.item.done", lambda event: event["item"]["id"] == "note_1")
    added = client.of("conversation.item.added")
    assert [event["item"]["role"] for event in added] == ["user", "assistant", "system"]
    assert added[2]["previous_item_id"] == added[1]["item"]["id"]
    await answered(there, client)
    asked = there.llm.asked[-1]
    assert asked.chat == [("user", "I am Rosa."), ("assistant", "Hello Rosa."), ("user", "Is all well?")]
    assert asked.system.endswith("Rosa is a member.")


@case("conversation.item.create", "audio or an image, a function call, an id that is taken", "error `invalid_value`")
async def create_other(there: Lab, client: RealtimeClient) -> None:
    send = "conversation.item.create"
    audio = {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_audio", "audio": "AAAA", "transcript": "x"}],
    }
    await refused(client, "invalid_value", "item.content[0].audio", send, item=audio)
    image = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "data:"}]}
    await refused(client, "invalid_value", "item.content[0]", send, item=image)
    made = {"type": "function_call", "name": "look_up", "arguments": "{}"}
    await refused(client, "invalid_value", "item", send, item=made)
    item_id = await client.say_in_text("One.")
    await refused(client, "invalid_value", "item.id", send, item={**user_message("Two."), "id": item_id})
    await refused(client, "invalid_value", "item.content", send, item=user_message("  "))


@case("conversation.item.create", "`previous_item_id` other than that of the last item", "error `invalid_value`")
async def create_between(there: Lab, client: RealtimeClient) -> None:
    first = await client.say_in_text("One.")
    await client.say_in_text("Two.")
    fields = {"item": user_message("Between."), "previous_item_id": first}
    await refused(client, "invalid_value", "previous_item_id", "conversation.item.create", **fields)


@case(
    "conversation.item.create", "`function_call_output`", "the model is told when the client asks for the next response"
)
async def function_output(there: Lab, client: RealtimeClient) -> None:
    await client.update(tools=[TOOL])
    there.llm.answers += [calling("look_up"), Answer("It is noon.")]
    call = (await answered(there, client))["output"][0]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "12:00"}
    await client.send("conversation.item.create", item=output)
    await client.expect("conversation.item.done", lambda event: event["item"]["type"] == "function_call_output")
    asked = len(there.llm.asked)
    await client.ask()
    response = await client.done(2)
    assert list(there.llm.asked[asked].results.values()) == ["12:00"]
    assert response["output"][0]["content"][0]["transcript"] == "It is noon."
    unknown = {**output, "call_id": "call_x"}
    await refused(client, "invalid_value", "item.call_id", "conversation.item.create", item=unknown)


@case("conversation.item.truncate", "of a response that is over", "the history holds what was heard; `truncated`")
async def truncate(there: Lab, client: RealtimeClient) -> None:
    there.llm.answers.append(Answer("One two three four."))
    there.tts.seconds = lambda text: 0.1 * len(text.split())
    there.tts.tells_words = True
    item = (await answered(there, client))["output"][0]
    await client.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=210)
    truncated = await client.expect("conversation.item.truncated")
    assert (truncated["item_id"], truncated["audio_end_ms"]) == (item["id"], 210)
    await answered(there, client, "Go on.")
    assert ("assistant", "One two") in there.llm.asked[-1].chat
    there.tts.behave()


@case("conversation.item.truncate", "beyond the item's audio, or of a user's item", "error `invalid_value`")
async def truncate_wrongly(there: Lab, client: RealtimeClient) -> None:
    item = (await answered(there, client))["output"][0]
    beyond = {"item_id": item["id"], "content_index": 0, "audio_end_ms": 5000}
    await refused(client, "invalid_value", "audio_end_ms", "conversation.item.truncate", **beyond)
    mine = await client.say_in_text("Hm.")
    wrong = {"item_id": mine, "content_index": 0, "audio_end_ms": 0}
    await refused(client, "invalid_value", "item_id", "conversation.item.truncate", **wrong)
    unknown = {"item_id": "item_x", "content_index": 0, "audio_end_ms": 0}
    await refused(client, "item_not_found", "item_id", "conversation.item.truncate", **unknown)


@case("conversation.item.delete", "a message", "`conversation.item.deleted`; the model is not shown it any more")
async def delete(there: Lab, client: RealtimeClient) -> None:
    mine = await client.say_in_text("My number is 123.")
    await answered(there, client)
    spoken = client.of("response.done")[0]["response"]["output"][0]["id"]
    for item_id in (mine, spoken):
        await client.send("conversation.item.delete", item_id=item_id)
        await client.expect("conversation.item.deleted", partial(_names, item_id))
    await answered(there, client, "What do you know?")
    assert there.llm.asked[-1].chat == [("user", "Is all well?\nWhat do you know?")]
    await refused(client, "item_not_found", "item_id", "conversation.item.delete", item_id=mine)


@case("conversation.item.delete", "a function call or its output", "error `invalid_value`: the chat needs both")
async def delete_call(there: Lab, client: RealtimeClient) -> None:
    await client.update(tools=[TOOL])
    there.llm.answers.append(calling("look_up"))
    call = (await answered(there, client))["output"][0]
    await refused(client, "invalid_value", "item_id", "conversation.item.delete", item_id=call["id"])


@case("conversation.item.retrieve", "", "`conversation.item.retrieved`, without audio: none is kept")
async def retrieve(there: Lab, client: RealtimeClient) -> None:
    item_id = await client.say_in_text("Hello.")
    await client.send("conversation.item.retrieve", item_id=item_id)
    item = (await client.expect("conversation.item.retrieved"))["item"]
    assert (item["id"], item["content"][0]["text"]) == (item_id, "Hello.")
    await refused(client, "item_not_found", "item_id", "conversation.item.retrieve", item_id="item_x")


# ------------------------------------------------------------------------------------------- responses


@case("response.create", "", "a response to the conversation as it is")
async def respond(there: Lab, client: RealtimeClient) -> None:
    await client.ask()
    assert (await client.done())["status"] == "completed"
    assert there.llm.asked[-1].chat == [("user", "(The caller is on the line.)")]
    await client.ask()
    await client.done(2)
    assert there.llm.asked[-1].chat[-1] == ("user", "(The caller waits for you to speak.)")


@case(
    "response.create",
    "`instructions`, `tools`, `tool_choice`, `max_output_tokens`, `output_modalities`, `audio`, `metadata`",
    "hold for this response alone",
)
async def respond_otherwise(there: Lab, client: RealtimeClient) -> None:
    own: dict[str, Any] = {
        "instructions": "Shout.",
        "tools": [TOOL],
        "max_output_tokens": 9,
        "metadata": {"topic": "x"},
    }
    response = await answered(there, client, **own, tool_choice="none", output_modalities=["text"])
    asked = there.llm.asked[-1]
    assert (asked.system, asked.tools, asked.body["max_tokens"]) == ("Shout.", ["look_up"], 9)
    assert asked.body["tool_choice"] == "none"
    assert (response["metadata"], response["output_modalities"]) == ({"topic": "x"}, ["text"])
    assert response["max_output_tokens"] == 9
    spoken = len(there.tts.spoken)
    await answered(there, client, audio={"output": {"voice": "Rob"}})
    assert there.tts.spoken[spoken].voice == "Rob"
    assert there.llm.asked[-1].system != "Shout."


@case("response.create", '`conversation: "none"`, `input`', "error `invalid_value`")
async def respond_aside(there: Lab, client: RealtimeClient) -> None:
    aside = {"conversation": "none"}
    await refused(client, "invalid_value", "response.conversation", "response.create", response=aside)
    await refused(client, "invalid_value", "response.input", "response.create", response={"input": []})


@case("response.create", "a field of the beta, or another format", "error")
async def respond_wrongly(there: Lab, client: RealtimeClient) -> None:
    for field in ("modalities", "output_audio_format", "temperature"):
        await refused(client, "unknown_parameter", f"response.{field}", "response.create", response={field: "x"})
    other = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    await refused(client, "invalid_value", "response.audio.output.format", "response.create", response=other)


@case("response.create", "while a response is made", "error `conversation_already_has_active_response`")
async def respond_twice(there: Lab, client: RealtimeClient) -> None:
    there.llm.answers.append(Answer("Wait", then="hang"))
    await client.say_in_text("Is all well?")
    await client.ask()
    await client.expect("response.created")
    await refused(client, "conversation_already_has_active_response", None, "response.create")
    await client.send("response.cancel")
    assert (await client.done())["status"] == "cancelled"


@case("response.cancel", "", "`response.done`, cancelled by the client; the history holds what was heard")
async def cancel(there: Lab, client: RealtimeClient) -> None:
    there.tts.seconds = lambda text: 5.0
    await client.say_in_text("Is all well?")
    await client.ask()
    await client.expect("response.output_audio.delta")
    await client.send("response.cancel")
    response = await client.done()
    assert response["status"] == "cancelled"
    assert response["status_details"]["reason"] == "client_cancelled"
    there.tts.behave()


@case("response.cancel", "while nothing is said, or of another response", "error `response_cancel_not_active`")
async def cancel_nothing(there: Lab, client: RealtimeClient) -> None:
    await refused(client, "response_cancel_not_active", None, "response.cancel")
    await refused(client, "response_cancel_not_active", None, "response.cancel", response_id="resp_x")


@case("output_audio_buffer.clear", "", "the same as `response.cancel`, and `output_audio_buffer.cleared`")
async def clear_output(there: Lab, client: RealtimeClient) -> None:
    there.tts.seconds = lambda text: 5.0
    await client.say_in_text("Is all well?")
    await client.ask()
    created = await client.expect("response.created")
    await client.expect("response.output_audio.delta")
    await client.send("output_audio_buffer.clear")
    cleared = await client.expect("output_audio_buffer.cleared")
    assert cleared["response_id"] == created["response"]["id"]
    assert (await client.done())["status"] == "cancelled"
    there.tts.behave()
    await refused(client, "response_cancel_not_active", None, "output_audio_buffer.clear")


# -------------------------------------------------------------------------------------------- others


@case(
    "anything else",
    "an event of the beta, or one that nobody knows",
    "error `invalid_value`, with the events that are known",
)
async def unknown_events(there: Lab, client: RealtimeClient) -> None:
    for name in ("transcription_session.update", "response.audio.delta", "nonsense"):
        await refused(client, "invalid_value", "type", name)


@case("anything else", "no JSON, no object, no type, a binary message", "error; the session goes on")
async def no_events(there: Lab, client: RealtimeClient) -> None:
    for text, code in (("{", "invalid_json"), ("[]", "invalid_type"), ("{}", "missing_required_parameter")):
        before = len(client.of("error"))
        await client.socket.send_str(text)
        await client.changes.until(partial(_has_more, client, "error", before), "an error")
        assert client.of("error")[-1]["error"]["code"] == code
    await client.socket.send_bytes(b"\x00")
    await client.expect("error", lambda event: "binary" in event["error"]["message"])
    await answered(there, client)
