"""How does a call begin, and what is a caller told who begins it wrong?"""

from typing import Any

import grpc
import pytest
from lab import Lab, lab
from voice_workflow.v1 import voice_workflow_pb2 as pb


async def refused(there: Lab, **start: Any) -> str:
    """The sentence of a start that is refused as a bad request."""
    caller = there.caller()
    await caller.send(start=pb.SessionStart(**start))
    await caller.over()
    assert caller.code is grpc.StatusCode.INVALID_ARGUMENT, caller.code
    return caller.sentence


async def test_a_stream_that_says_nothing_is_refused_after_the_start_timeout() -> None:
    async with lab(gateway_start_timeout_s=0.1) as there:
        caller = there.caller()
        await caller.over()
        assert caller.code is grpc.StatusCode.INVALID_ARGUMENT
        assert "within 0.1 s" in caller.sentence
        assert "must be SessionStart" in caller.sentence


async def test_a_stream_that_closes_at_once_is_told_how_to_begin() -> None:
    async with lab() as there:
        caller = there.caller()
        await caller.half_close()
        await caller.over()
        assert caller.code is grpc.StatusCode.INVALID_ARGUMENT
        assert "must be SessionStart" in caller.sentence


async def test_a_wrong_first_message_is_refused_the_second_time_too() -> None:
    async with lab() as there:
        for _ in range(2):
            caller = there.caller()
            await caller.send(audio=pb.Audio(data=bytes(640)))
            await caller.over()
            assert caller.code is grpc.StatusCode.INVALID_ARGUMENT
            assert "must be SessionStart" in caller.sentence


async def test_stereo_is_refused_with_a_word_on_mixing() -> None:
    async with lab() as there:
        sentence = await refused(there, input=pb.AudioFormat(sample_rate_hz=16_000, channels=2))
        assert "mix to mono" in sentence


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ({"llm": pb.LlmOptions(temperature=2.5)}, "llm.temperature = 2.5 is out of range; send 0 to 2"),
        ({"llm": pb.LlmOptions(temperature=float("nan"))}, "llm.temperature = nan is out of range"),
        ({"llm": pb.LlmOptions(max_tokens=0)}, "llm.max_tokens = 0 is out of range; send 1 to 4096"),
        ({"endpointing": pb.EndpointingOptions(end_silence_s=-1)}, "end_silence_s = -1 is out of range; send 0 to 5"),
        ({"endpointing": pb.EndpointingOptions(max_turn_s=1e9)}, "max_turn_s"),
        ({"input": pb.AudioFormat(sample_rate_hz=7_999)}, "7999 Hz is out of range; send 8000 to 48000"),
        ({"output": pb.AudioFormat(sample_rate_hz=96_000)}, "96000 Hz is out of range"),
        ({"hotwords": [pb.Hotword(phrase="a")] * 501}, "501 hotwords are too many; send at most 500"),
        ({"hotwords": [pb.Hotword(phrase="a", boost=float("inf"))]}, "boost"),
        ({"metadata": {str(n): "" for n in range(33)}}, "33 metadata entries are too many; send at most 32"),
        ({"system_prompt": "x" * 16_385}, "system_prompt has 16385 characters; send at most 16384"),
        ({"greeting": "x" * 16_385}, "greeting has 16385 characters"),
        ({"turn_detection": 7}, "turn_detection"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_option_out_of_range_is_refused_with_its_range(start: dict[str, Any], says: str) -> None:
    async with lab(then_works=False) as there:
        assert says in await refused(there, **start)
        await there.call()


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ({"input": pb.AudioFormat(encoding=pb.AUDIO_ENCODING_OPUS)}, "input: this encoding is not served yet"),
        ({"output": pb.AudioFormat(encoding=pb.AUDIO_ENCODING_OPUS)}, "send PCM16, MULAW or ALAW"),
    ],
    ids=["opus in", "opus out"],
)
async def test_what_is_not_served_is_unimplemented(start: dict[str, Any], says: str) -> None:
    async with lab() as there:
        caller = there.caller()
        await caller.send(start=pb.SessionStart(**start))
        await caller.over()
        assert caller.code is grpc.StatusCode.UNIMPLEMENTED
        assert says in caller.sentence


async def test_the_answer_to_a_start_says_what_was_agreed() -> None:
    async with lab(gateway_max_session_s=77, gateway_resume_grace_s=3) as there:
        caller = there.caller()
        started = await caller.start(
            input=pb.AudioFormat(encoding=pb.AUDIO_ENCODING_MULAW, sample_rate_hz=8_000),
            output=pb.AudioFormat(sample_rate_hz=24_000),
        )
        assert (started.input.encoding, started.input.sample_rate_hz) == (pb.AUDIO_ENCODING_MULAW, 8_000)
        assert (started.output.encoding, started.output.sample_rate_hz) == (pb.AUDIO_ENCODING_PCM16, 24_000)
        assert (started.limits.max_audio_ms, started.limits.max_session_s) == (1_000, 77)
        assert (started.resume_life_s, started.resumed) == (3, False)
        assert started.resume_token


async def test_language_hotwords_and_endpointing_reach_recognition() -> None:
    async with lab(asr_stop_history_ms=480, asr_stop_history_eou_ms=240) as there:
        await there.call(language="de-DE", hotwords=[pb.Hotword(phrase="Parakeet", boost=30)])
        config = (await there.asr.stream()).config
        assert config.config.language_code == "de-DE"
        assert config.interim_results
        assert [(list(context.phrases), context.boost) for context in config.config.speech_contexts] == [
            (["Parakeet"], 30)
        ]
        assert config.config.endpointing_config.stop_history == 480
        assert config.config.endpointing_config.stop_history_eou == 240


async def test_a_call_beyond_the_limit_is_refused_and_told_when_to_come_back() -> None:
    async with lab(gateway_max_sessions=1) as there:
        first = await there.call()
        second = there.caller()
        await second.send(start=pb.SessionStart())
        await second.over()
        assert second.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "all 1 calls of this gateway are taken; try again" in second.sentence
        assert int(second.trailer["retry-after-ms"]) > 0
        assert await there.metric('voice_sessions_refused_total{reason="busy"}') == 1
        await first.hang_up()
        await there.asr.quiet()
        await (await there.call()).hang_up()
