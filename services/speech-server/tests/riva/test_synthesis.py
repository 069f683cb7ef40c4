"""RivaSpeechSynthesis, rule by rule."""

import asyncio
from array import array
from collections.abc import Awaitable, Callable, Sequence

import grpc
import pytest
from speech_server.engines.tts.tone import ToneSynthesiser
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire import riva_tts_pb2 as tts
from speech_server.wire.riva_common_pb2 import RequestId

from .caller import Caller

CallServer = Callable[..., Awaitable[Caller]]
ONE_WORD_S = 5 * 0.06 + 0.06
"""'hello' as a tone, with the gap after it."""


def say(text: str = "hello", **fields: object) -> tts.SynthesizeSpeechRequest:
    said: dict[str, object] = {"encoding": audio.LINEAR_PCM, **fields}
    return tts.SynthesizeSpeechRequest(text=text, **said)  # type: ignore[arg-type]


async def speak(caller: Caller, *requests: tts.SynthesizeSpeechRequest) -> list[tts.SynthesizeSpeechResponse]:
    return [response async for response in caller.tts.SynthesizeOnline(iter(requests))]


async def refusal(caller: Caller, request: tts.SynthesizeSpeechRequest) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await speak(caller, request)
    return caught.value.code(), caught.value.details() or ""


def joined(responses: Sequence[tts.SynthesizeSpeechResponse]) -> bytes:
    return b"".join(response.audio for response in responses)


async def test_the_audio_is_bare_samples_of_the_voices_rate_unless_another_is_asked_for(caller: Caller) -> None:
    answer = await caller.tts.Synthesize(say())
    assert not answer.audio.startswith(b"RIFF")
    assert len(answer.audio) == 2 * round(ONE_WORD_S * 22_050)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 44_100, 48_000])
async def test_the_audio_comes_at_the_rate_asked_for(caller: Caller, rate_hz: int) -> None:
    responses = await speak(caller, say(sample_rate_hz=rate_hz))
    assert all(len(response.audio) % 2 == 0 for response in responses)
    assert len(joined(responses)) / 2 / rate_hz == pytest.approx(ONE_WORD_S, abs=0.001)


async def test_streamed_and_whole_audio_are_the_same(caller: Caller) -> None:
    text = "good morning to you all"
    whole = await caller.tts.Synthesize(say(text, sample_rate_hz=16_000))
    responses = await speak(caller, say(text, sample_rate_hz=16_000))
    assert len(responses) > 3
    assert joined(responses) == whole.audio
    assert max(array("h", whole.audio)) > 5000


async def test_the_first_chunk_is_small_and_no_chunk_is_large(caller: Caller) -> None:
    lengths_s = [len(response.audio) / 2 / 22_050 for response in await speak(caller, say("hello " * 10))]
    assert 0.04 <= lengths_s[0] <= 0.1
    assert max(lengths_s) <= 0.25


@pytest.mark.parametrize("encoding", [audio.MULAW, audio.ALAW])
async def test_telephone_encodings_have_a_byte_a_sample(
    caller: Caller, encoding: audio.AudioEncoding.ValueType
) -> None:
    answer = await caller.tts.Synthesize(say(encoding=encoding, sample_rate_hz=8_000))
    assert len(answer.audio) == pytest.approx(ONE_WORD_S * 8_000, abs=2)


async def test_texts_are_spoken_one_after_another_each_under_its_id(caller: Caller) -> None:
    requests = [say(text, id=RequestId(value=text)) for text in ("one", "two", "three")]
    responses = await speak(caller, *requests)
    ids = list(dict.fromkeys(response.id.value for response in responses))
    assert ids == ["one", "two", "three"]
    assert all(response.meta.text == response.meta.processed_text == response.id.value for response in responses)


async def test_word_times_come_when_asked_for_with_the_audio_they_begin_in(caller: Caller) -> None:
    responses = await speak(caller, say("hello there friend", enable_word_time_offsets=True))
    words = [word for response in responses for word in response.meta.words]
    assert [(word.word, word.start_time, word.end_time) for word in words] == [
        ("hello", 0, 300),
        ("there", 360, 660),
        ("friend", 720, 1080),
    ]
    assert [word.word for word in responses[0].meta.words] == ["hello"]


async def test_word_times_are_left_out_unless_asked_for(caller: Caller) -> None:
    assert not any(response.meta.words for response in await speak(caller, say()))


async def test_a_blank_text_is_passed_over_in_a_stream_and_refused_alone(caller: Caller) -> None:
    assert await speak(caller, say("  ")) == []
    with pytest.raises(grpc.aio.AioRpcError, match="The text is empty"):
        await caller.tts.Synthesize(say(""))


async def test_a_speak_document_is_ssml_and_its_tags_are_not_spoken(caller: Caller) -> None:
    plain = await caller.tts.Synthesize(say("hello there"))
    ssml = await caller.tts.Synthesize(say("<speak>hello <break/> there</speak>"))
    assert ssml.audio == plain.audio


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (say(encoding=7), "Encoding 7 is not supported; send LINEAR_PCM"),
        (say(encoding=audio.OGGOPUS, sample_rate_hz=22_050), "sample_rate_hz is 22050; Opus has 8000, 12000"),
        (say(sample_rate_hz=100), "sample_rate_hz is 100; send 8000 to 96000"),
        (say(voice_name="Nobody"), "Unknown voice_name 'Nobody'"),
        (say(language_code="xx"), "No voice speaks language_code 'xx'"),
        (say("a" * 4097), "The text has 4097 characters, more than 4096"),
        (say(zero_shot_data=tts.ZeroShotData(quality=20)), "zero_shot_data is not supported"),
        (say(custom_dictionary="a  b"), "The voice English-US.Female-1 takes no custom_dictionary"),
        (say(custom_dictionary="a b"), 'is not "word<two spaces>phonemes"'),
        (say("<speak>no end"), "The SSML can't be read; send one well-formed <speak> document"),
        (say(custom_configuration={"seed": "1", "cfg_scale": "2"}), "key not supported: cfg_scale, seed"),
    ],
)
async def test_what_is_not_served_is_refused_with_a_sentence(
    caller: Caller, request_: tts.SynthesizeSpeechRequest, sentence: str
) -> None:
    code, details = await refusal(caller, request_)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert sentence in details


@pytest.mark.parametrize(
    "name", ["", "english-us.female-1", "Magpie-Multilingual.EN-US.Aria", "Magpie-Multilingual.EN-US.Leo", "mine"]
)
async def test_voices_clients_ask_for_are_found(call_server: CallServer, name: str) -> None:
    caller = await call_server(SPEECH_VOICE_ALIASES='{"Mine": "English-US.Male-1"}')
    assert (await caller.tts.Synthesize(say(voice_name=name))).audio


async def test_an_answer_larger_than_a_client_takes_is_refused_and_can_be_streamed(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_UNARY_LIMIT_BYTES="20000")
    with pytest.raises(grpc.aio.AioRpcError, match="use SynthesizeOnline"):
        await caller.tts.Synthesize(say("hello there my friend"))
    assert len(joined(await speak(caller, say("hello there my friend")))) > 20_000


async def test_cancelling_stops_the_voice(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stopped = asyncio.Event()
    speak_tone = ToneSynthesiser.speak

    async def watched(self: ToneSynthesiser, request: object):  # type: ignore[no-untyped-def]
        try:
            async for chunk in speak_tone(self, request):  # type: ignore[arg-type]
                yield chunk
                await asyncio.Event().wait()  # for ever: only a cancelled call ends it
        finally:
            stopped.set()

    monkeypatch.setattr(ToneSynthesiser, "speak", watched)
    call = caller.tts.SynthesizeOnline(iter([say("hello " * 200)]))
    assert await call.read()
    call.cancel()
    async with asyncio.timeout(2):
        await stopped.wait()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_faults_are_as_scripted(call_server: CallServer) -> None:
    caller = await call_server(TONE_FAULT="silent", TONE_FAULT_AFTER="1", TONE_FAULT_TIMES="1")
    assert [bool(await speak(caller, say())) for _ in range(3)] == [True, False, True]


async def test_an_engine_that_is_unavailable_says_so(call_server: CallServer) -> None:
    caller = await call_server(TONE_FAULT="unavailable")
    code, details = await refusal(caller, say())
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "as its script says" in details


async def test_the_voice_list_names_voices_the_way_clients_join_them(caller: Caller) -> None:
    listed = await caller.tts.GetRivaSynthesisConfig(tts.RivaSynthesisConfigRequest())
    (entry,) = listed.model_config
    assert entry.parameters["voice_name"] == "English-US"
    assert entry.parameters["subvoices"] == "Female-1:0,Male-1:1"
    assert entry.parameters["language_code"] == "en-US"
    for subvoice in entry.parameters["subvoices"].split(","):
        name = f"{entry.parameters['voice_name']}.{subvoice.split(':')[0]}"
        assert await speak(caller, say(voice_name=name))


async def test_an_unknown_synthesis_model_is_not_found(caller: Caller) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await caller.tts.GetRivaSynthesisConfig(tts.RivaSynthesisConfigRequest(model_name="whatever"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_audio_of_a_text_has_a_longest_length(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_MAX_SPEECH_S="5")
    for text, sentence in (
        ("<speak>a" + '<break time="3600s"/>' + "b</speak>", "The breaks of this text are 10 s long"),
        ("<speak>a" + '<break time="1s"/>' * 60 + "b</speak>", "The breaks of this text are 60 s long"),
        ("hello " * 50, "The audio of this text is longer than 5 s; send it in parts."),
    ):
        code, said = await refusal(caller, say(text))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert sentence in said
