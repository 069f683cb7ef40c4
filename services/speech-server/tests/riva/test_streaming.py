"""StreamingRecognize, rule by rule."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import grpc
import pytest
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire.riva_common_pb2 import RequestId

from .caller import Caller, chunk, config, finals, hum, hush, partials, pieces, results

CallServer = Callable[..., Awaitable[Caller]]
TURN = hush(0.2) + hum(0.6) + hush(0.4)


async def refusal(caller: Caller, *messages: asr.StreamingRecognizeRequest) -> grpc.aio.AioRpcError:
    """How the server ends a call of these messages."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in caller.asr.StreamingRecognize(iter(messages)):
            pass
    return caught.value


@pytest.mark.parametrize("ms", [10, 20, 33, 100, 5000])
async def test_an_utterance_becomes_partials_and_one_final_whatever_the_chunks(caller: Caller, ms: int) -> None:
    responses = await caller.hear(config(), *pieces(TURN, ms))
    assert finals(responses) == ["caller 1 turn 1"]
    assert partials(responses)[-1].startswith("caller 1")


async def test_odd_and_empty_chunks_are_heard_like_any_other(caller: Caller) -> None:
    odd = [TURN[at : at + 641] for at in range(0, len(TURN), 641)]
    assert finals(await caller.hear(config(), b"", *odd, b"")) == ["caller 1 turn 1"]


async def test_without_interim_results_only_finals_come(caller: Caller) -> None:
    responses = await caller.hear(config(interim=False), *pieces(TURN))
    assert [result.is_final for response in responses for result in response.results] == [True]


async def test_partials_carry_neither_words_nor_confidence_and_finals_both(caller: Caller) -> None:
    heard = results(await caller.hear(config(enable_word_time_offsets=True), *pieces(TURN)))
    assert all(not result.alternatives[0].words for result in heard[:-1])
    assert all(result.alternatives[0].confidence == 0 for result in heard[:-1])
    final = heard[-1].alternatives[0]
    assert [word.word for word in final.words] == ["caller", "1", "turn", "1"]
    assert final.confidence > 0
    assert all(word.start_time < word.end_time for word in final.words)
    assert final.words[-1].end_time <= 1200


async def test_words_are_left_out_unless_asked_for(caller: Caller) -> None:
    assert not results(await caller.hear(config(), *pieces(TURN)))[-1].alternatives[0].words


async def test_word_times_count_from_the_start_of_the_stream(caller: Caller) -> None:
    late = hush(5) + TURN
    final = results(await caller.hear(config(enable_word_time_offsets=True), *pieces(late)))[-1]
    assert 4500 <= final.alternatives[0].words[0].start_time <= 5300


async def test_a_partial_comes_again_only_when_its_text_has_changed(call_server: CallServer) -> None:
    caller = await call_server(SCRIPT_PARTIAL_EVERY_MS="500")
    texts = partials(await caller.hear_in_step(config(), hum(2.5), ahead_s=0.4))
    assert texts == ["caller", "caller 1", "caller 1 turn", "caller 1 turn 1"]


async def test_of_audio_that_comes_all_at_once_partials_are_left_out_and_the_last_is_whole(
    call_server: CallServer,
) -> None:
    caller = await call_server(SCRIPT_PARTIAL_EVERY_MS="300")
    texts = partials(await caller.hear(config(), *pieces(hum(3) + hush(0.4))))
    # Each is longer than the one before: none comes twice, none takes a word back. How many there are is the machine's.
    assert all(later.startswith(earlier) and later != earlier for earlier, later in pairwise(texts))
    assert texts[-1] == "caller 1 turn 1"


async def test_transcripts_after_the_first_final_begin_with_a_space(caller: Caller) -> None:
    responses = await caller.hear(config(), *pieces(TURN + TURN))
    assert finals(responses) == ["caller 1 turn 1", " caller 1 turn 2"]
    assert partials(responses)[-1].startswith(" caller")


async def test_the_leading_space_can_be_switched_off(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_LEADING_SPACE="false")
    assert finals(await caller.hear(config(), *pieces(TURN + TURN)))[1] == "caller 1 turn 2"


async def test_the_id_of_the_first_message_is_on_every_answer(caller: Caller) -> None:
    first = config()
    first.id.CopyFrom(RequestId(value="call 7"))
    responses = await caller.hear(first, *pieces(TURN))
    assert {response.id.value for response in responses} == {"call 7"}


async def test_unknown_and_doubled_metadata_are_passed_over(caller: Caller) -> None:
    metadata = (("function-id", "a"), ("function-id", "a"), ("authorization", "Bearer None"), ("x-y", "z"))
    assert len(finals(await caller.hear(config(), TURN, metadata=metadata))) == 1


async def test_a_silent_stream_has_one_empty_final(caller: Caller) -> None:
    heard = results(await caller.hear(config(), *pieces(hush(1))))
    assert [(result.is_final, result.alternatives[0].transcript) for result in heard] == [(True, "")]
    assert heard[0].audio_processed == pytest.approx(1.0, abs=0.01)


async def test_a_stream_without_audio_has_one_empty_final(caller: Caller) -> None:
    assert finals(await caller.hear(config())) == [""]


async def test_silence_after_a_final_adds_no_further_final(caller: Caller) -> None:
    assert len(finals(await caller.hear(config(), TURN, hush(3)))) == 1


async def test_an_utterance_cut_off_by_the_end_of_the_stream_has_its_final(caller: Caller) -> None:
    assert finals(await caller.hear(config(), *pieces(hum(0.5)))) == ["caller 1 turn 1"]


async def test_the_first_word_is_not_cut(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_PRE_ROLL_MS="300", SPEECH_START_THRESHOLD="0.5")
    final = results(await caller.hear(config(enable_word_time_offsets=True), *pieces(hush(1) + TURN)))[-1]
    # Speech begins at 1.2 s; it is found 150 ms later, and heard from 300 ms before its beginning.
    assert final.alternatives[0].words[0].start_time == pytest.approx(900, abs=20)


async def test_audio_processed_never_goes_back_and_ends_with_the_audio(caller: Caller) -> None:
    responses = await caller.hear(config(), *pieces(TURN + TURN))
    positions = [result.audio_processed for response in responses for result in response.results]
    assert positions == sorted(positions)
    assert positions[-1] <= 2.4


async def test_a_running_utterance_tells_its_progress_when_there_is_nothing_else_to_tell(caller: Caller) -> None:
    responses = await caller.hear_in_step(config(), hum(3), ahead_s=0.5)
    positions = [result.audio_processed for response in responses for result in response.results]
    # Half a second on its way is decoded in strides of a half, a quarter, ... of it: 0.25 s untold, and at most
    # half of the other 0.25 s more.
    assert all(later - earlier <= 0.45 for earlier, later in pairwise(positions))
    assert any(not result.alternatives for response in responses for result in response.results)


async def test_progress_is_not_told_to_those_who_want_finals_only(caller: Caller) -> None:
    responses = await caller.hear(config(interim=False), *pieces(hum(3) + hush(0.4)))
    assert len(responses) == 1


# Message order


async def test_a_call_without_a_message_is_refused(caller: Caller) -> None:
    error = await refusal(caller)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "first message must carry streaming_config" in (error.details() or "")


async def test_audio_before_the_configuration_is_refused(caller: Caller) -> None:
    error = await refusal(caller, chunk(TURN))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_second_configuration_is_refused(caller: Caller) -> None:
    error = await refusal(caller, config(), chunk(TURN), config())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "streaming_config came again" in (error.details() or "")


# What can be asked for


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"encoding": 7}, "Encoding 7 is not supported; send LINEAR_PCM, FLAC"),
        ({"encoding": 21}, "Encoding 21 is not supported; send LINEAR_PCM, FLAC"),
        ({"encoding": 9}, "Encoding 9 is not supported"),
        ({"sample_rate_hertz": 4_000}, "sample_rate_hertz is 4000; send 8000 to 96000"),
        ({"sample_rate_hertz": -1}, "sample_rate_hertz is -1"),
        ({"sample_rate_hertz": 192_000}, "sample_rate_hertz is 192000"),
        ({"audio_channel_count": 2}, "Only mono audio supported"),
        ({"language_code": "xx-XX"}, "Unavailable model requested given these parameters"),
        ({"max_alternatives": -1}, "max_alternatives is -1"),
        (
            {"diarization_config": asr.SpeakerDiarizationConfig(enable_speaker_diarization=True)},
            "No diarizer is loaded",
        ),
        ({"speech_contexts": [asr.SpeechContext(phrases=["a"], boost=float("nan"))]}, "boost that is not a number"),
    ],
)
async def test_what_is_not_served_is_refused_with_a_sentence(
    caller: Caller, fields: dict[str, Any], sentence: str
) -> None:
    error = await refusal(caller, config(**fields))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert sentence in (error.details() or "")


@pytest.mark.parametrize(
    "fields",
    [
        {"verbatim_transcripts": True},
        {"enable_automatic_punctuation": True},
        {"profanity_filter": True},
        {"max_alternatives": 3},
        {"model": "parakeet-1.1b-en-US-asr-streaming-silero-vad-sortformer"},
        {"language_code": "EN-us"},
        {"audio_channel_count": 1},
        {"custom_configuration": {"enable_vad_endpointing": "true", "unknown": "x"}},
        {"speech_contexts": [asr.SpeechContext(phrases=["Riva"], boost=100)]},
        {"endpointing_config": asr.EndpointingConfig(stop_history=0, stop_threshold=-1, start_history=-1)},
    ],
)
async def test_what_clients_really_send_is_served(caller: Caller, fields: dict[str, Any]) -> None:
    assert finals(await caller.hear(config(**fields), TURN)) == ["caller 1 turn 1"]


async def test_an_unknown_model_is_refused_where_the_operator_is_strict(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_MODEL_POLICY="strict")
    error = await refusal(caller, config(model="whatever"))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "scripted-asr-streaming (en-US)" in (error.details() or "")
    assert finals(await caller.hear(config(model="scripted-asr-streaming"), TURN))


async def test_several_callers_are_heard_apart(caller: Caller) -> None:
    calls = [caller.hear(config(), *pieces(TURN)) for _ in range(5)]
    heard = [finals(responses)[0] for responses in await asyncio.gather(*calls)]
    assert sorted(heard) == [f"caller {number} turn 1" for number in range(1, 6)]
