"""NVIDIA's realtime synthesis: does each commit come as audio, in the voice and at the rate that were asked for?"""

import base64
from typing import Any

import pytest

from .conftest import SPEAK, Call, Talk, talking

DATA = "conversation.item.speech.data"
DONE = "conversation.item.speech.completed"


async def synthesise(talk: Talk) -> tuple[bytes, dict[str, Any]]:
    events = await talk.hear(DONE)
    audio = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == DATA)
    return audio, events[-1]


async def test_every_commit_is_spoken_and_the_rest_when_done(call: Call) -> None:
    async with talking(await call(), SPEAK) as talk:
        await talk.say("synthesize_session.update", session={"output_audio_params": {"sample_rate_hz": 8000}})
        shown = (await talk.hear("synthesize_session.updated"))[-1]["session"]
        assert shown["output_audio_params"]["sample_rate_hz"] == 8000
        await talk.say("input_text.append", text="Good ")
        await talk.say("input_text.append", text="morning.")
        await talk.say("input_text.commit")
        audio, first = await synthesise(talk)
        assert first["is_last_result"] is False
        assert first["synthesis_metadata"]["audio_duration_ms"] == pytest.approx(len(audio) / 16, abs=2)
        await talk.say("input_text.append", text="Bye.")
        await talk.say("input_text.done")
        audio, last = await synthesise(talk)
        assert last["is_last_result"] is True
        assert audio


async def test_the_voice_that_will_speak_is_named(call: Call) -> None:
    session = await call()
    async with session.get("/v1/audio/list_voices") as answer:
        voice = next(iter((await answer.json()).values()))["voices"][0]
    async with talking(session, SPEAK) as talk:
        await talk.say("synthesize_session.update", session={"input_text_synthesis": {"voice_name": voice.upper()}})
        shown = (await talk.hear("synthesize_session.updated"))[-1]["session"]
    assert shown["input_text_synthesis"]["voice_name"] == voice


@pytest.mark.parametrize(
    "sent",
    [
        {"input_text_synthesis": {"voice_name": "Nobody"}},
        {"output_audio_params": {"sample_rate_hz": 1}},
        {"output_audio_params": {"audio_format": ["LINEAR_PCM"]}},
        {"output_audio_params": {"num_channels": 2}},
        {"zero_shot_config": {"audio_prompt_bytes": "AAAA"}},
        {"custom_configuration": {"speed": "2"}},
        {"speed": 2},
    ],
)
async def test_an_update_that_cant_be_served_changes_nothing(call: Call, sent: dict[str, Any]) -> None:
    async with talking(await call(), SPEAK) as talk:
        await talk.say("synthesize_session.update", session=sent)
        assert (await talk.refused())["type"] == "invalid_request_error"
        await talk.say("input_text.append", text="Hello.")
        await talk.say("input_text.done")
        audio, _ = await synthesise(talk)
        assert audio


async def test_too_much_text_is_refused_and_the_next_is_spoken(call: Call) -> None:
    async with talking(await call(SPEECH_TEXT_LIMIT="10"), SPEAK) as talk:
        await talk.say("input_text.append", text="12345678")
        await talk.say("input_text.append", text="12345678")
        assert "10 characters" in (await talk.refused())["message"]
        await talk.say("input_text.append", text="Hello.")
        await talk.say("input_text.commit")
        audio, _ = await synthesise(talk)
        assert audio
