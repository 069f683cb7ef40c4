"""NVIDIA's realtime transcription: do updates hold, are utterances told one by one, and is what is wrong told?"""

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openai_audio.sounds import hum, hush

from .conftest import TRANSCRIBE, Call, Talk, talking

DONE = "conversation.item.input_audio_transcription.completed"
TEXT = "one two three"


async def defaults(session: Any) -> dict[str, Any]:
    async with session.post("/v1/realtime/transcription_sessions", json={}) as opened:
        found = await opened.json()
        assert isinstance(found, dict)
        return found


async def completed(talk: Talk) -> list[dict[str, Any]]:
    """Every result until the last."""
    results: list[dict[str, Any]] = []
    while not results or not results[-1]["is_last_result"]:
        results.append((await talk.hear(DONE))[-1])
    return results


async def test_the_defaults_are_taken_back_as_they_are(call: Call) -> None:
    session = await call()
    found = await defaults(session)
    assert (found["object"], found["input_audio_format"]) == ("realtime.transcription_session", "pcm16")
    async with talking(session, TRANSCRIBE) as talk:
        await talk.say("transcription_session.update", session=found)
        shown = (await talk.hear("transcription_session.updated"))[-1]["session"]
    assert {**shown, "id": "", "client_secret": ""} == {**found, "id": "", "client_secret": ""}


async def test_one_open_utterance_is_the_last_result(call: Call) -> None:
    session = await call(SCRIPT_TRANSCRIPT=TEXT)
    async with talking(session, TRANSCRIBE) as talk:
        await talk.say(
            "transcription_session.update",
            session={
                "recognition_config": {"enable_word_time_offsets": True},
                "input_audio_params": {"sample_rate_hz": 16000},
            },
        )
        await talk.append(hum(1.5))
        await talk.say("input_audio_buffer.done")
        (last,) = await completed(talk)
    assert last["transcript"] == TEXT
    assert [word["word"] for word in last["words_info"]["words"]] == TEXT.split()


async def test_utterances_come_one_by_one_and_the_last_result_has_them_all(call: Call) -> None:
    session = await call(SCRIPT_TRANSCRIPT=TEXT)
    async with talking(session, TRANSCRIBE) as talk:
        for _ in range(2):
            await talk.append(hum(1.5) + hush(1.5))
        first = (await talk.hear(DONE))[-1]
        await talk.say("input_audio_buffer.done")
        results = [first, *await completed(talk)]
    assert [result["is_last_result"] for result in results] == [False] * (len(results) - 1) + [True]
    assert first["transcript"] == TEXT
    assert results[-1]["transcript"] == f"{TEXT} {TEXT}"
    assert len({result["item_id"] for result in results}) == len(results)


async def test_an_utterance_is_ended_when_the_client_forces_it(call: Call) -> None:
    session = await call(SCRIPT_TRANSCRIPT=TEXT)
    async with talking(session, TRANSCRIBE) as talk:
        await talk.append(hum(1.5), runtime_config={"force_eou": "true"})
        assert (await talk.hear(DONE))[-1]["transcript"] == TEXT


async def test_a_session_without_audio_ends_with_an_empty_result(call: Call) -> None:
    async with talking(await call(), TRANSCRIBE) as talk:
        await talk.say("input_audio_buffer.done")
        (last,) = await completed(talk)
    assert last["transcript"] == ""


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({"noise": 1}, "session.noise"),
        ({"recognition_config": {"beam": 4}}, "session.recognition_config.beam"),
        ({"recognition_config": 4}, "session.recognition_config"),
        ({"input_audio_format": "g711"}, "session.input_audio_format"),
        ({"recognition_config": {"custom_configuration": "odd"}}, "session.recognition_config.custom_configuration"),
        ({"input_audio_params": {"num_channels": 2}}, None),
        ({"input_audio_params": {"sample_rate_hz": "fast"}}, None),
        ({"speaker_diarization": {"enable_speaker_diarization": True}}, None),
        ({"word_boosting": {"enable_word_boosting": True, "word_boosting_list": "cats"}}, None),
        ("all of it", "session"),
    ],
)
async def test_an_update_that_cant_be_served_changes_nothing(call: Call, sent: Any, param: str | None) -> None:
    session = await call(SCRIPT_TRANSCRIPT=TEXT)
    async with talking(session, TRANSCRIBE) as talk:
        await talk.say("transcription_session.update", session=sent)
        error = await talk.refused()
        assert error["type"] == "invalid_request_error"
        assert error["param"] == param
        await talk.append(hum(1.5))
        await talk.say("input_audio_buffer.done")
        assert (await completed(talk))[-1]["transcript"] == TEXT


async def test_events_that_cant_be_read_are_told_and_the_session_goes_on(call: Call) -> None:
    session = await call(SCRIPT_TRANSCRIPT=TEXT)
    async with talking(session, TRANSCRIBE) as talk:
        for raw in ("{", "[]", '{"type": 4}', '{"type": "session.update"}', '{"type": "input_audio_buffer.append"}'):
            await talk.socket.send_str(raw)
            assert (await talk.refused())["message"].endswith(".")
        await talk.append(hum(1.5))
        await talk.say("transcription_session.update", session={})
        assert "another session" in (await talk.refused())["message"]
        await talk.say("input_audio_buffer.done")
        assert (await completed(talk))[-1]["transcript"] == TEXT


async def test_a_full_server_says_so_and_closes(call: Call) -> None:
    session = await call(SPEECH_MAX_STREAMS="1")
    late = session.ws_connect(TRANSCRIBE, protocols=("realtime", "realtime-token.x"))
    async with talking(session, TRANSCRIBE), late as socket:
        assert (await Talk(socket).refused())["code"] == "rate_limit_exceeded"
        await socket.receive(timeout=5)
        assert socket.close_code == 1013


async def test_a_client_that_leaves_gives_its_place_back(call: Call) -> None:
    session = await call(SPEECH_MAX_STREAMS="1")
    async with talking(session, TRANSCRIBE) as talk:
        await talk.append(hum(0.5))
    async with talking(session, TRANSCRIBE) as talk:
        await talk.say("input_audio_buffer.done")
        assert (await completed(talk))[-1]["is_last_result"]


async def test_without_the_secret_the_path_is_openais(call: Call) -> None:
    session = await call()
    async with session.ws_connect(TRANSCRIBE) as socket:
        assert (await socket.receive_json(timeout=5))["type"] == "session.created"


async def test_where_tokens_are_wanted_the_session_needs_one_and_the_socket_its_secret(
    call: Call, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("team-a: open-sesame")
    session = await call(SPEECH_TOKENS_FILE=str(tokens), SCRIPT_TRANSCRIPT=TEXT)
    path = "/v1/realtime/transcription_sessions"
    async with session.post(path, json={}) as refused:
        assert refused.status == 401
    async with session.post(path, json={}, headers={"Authorization": "Bearer open-sesame"}) as opened:
        secret = (await opened.json())["client_secret"]["value"]
    with pytest.raises(aiohttp.WSServerHandshakeError) as handshake:
        await session.ws_connect(TRANSCRIBE, protocols=("realtime", "realtime-token.made-up"))
    assert handshake.value.status == 401
    async with session.ws_connect(TRANSCRIBE, protocols=("realtime", f"realtime-token.{secret}")) as socket:
        await Talk(socket).hear("conversation.created")
