"""Recognize, the audio formats on the wire, and the model list."""

import io
import wave
from collections.abc import Awaitable, Callable

import grpc
import pytest
from pcm import AudioFormat, Encoding
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire.riva_common_pb2 import RequestId

from .caller import Caller, config, finals, hum, hush, pieces

CallServer = Callable[..., Awaitable[Caller]]
TURN = hush(0.2) + hum(0.6) + hush(0.4)


def wav(pcm16: bytes, rate_hz: int = 16_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm16)
    return file.getvalue()


async def test_a_recording_comes_back_as_one_result_of_all_its_utterances(caller: Caller) -> None:
    recognition = asr.RecognitionConfig(
        encoding=audio.LINEAR_PCM, sample_rate_hertz=16_000, enable_word_time_offsets=True
    )
    request = asr.RecognizeRequest(config=recognition, audio=TURN + TURN, id=RequestId(value="r"))
    answer = await caller.asr.Recognize(request)
    (result,) = answer.results
    assert result.alternatives[0].transcript == "caller 1 turn 1 caller 1 turn 2"
    assert result.alternatives[0].confidence > 0
    times = [word.start_time for word in result.alternatives[0].words]
    assert len(times) == 8
    assert times == sorted(times)
    assert result.audio_processed == pytest.approx(2.4, abs=0.02)
    assert answer.id.value == "r"


async def test_a_silent_recording_has_an_empty_transcript(caller: Caller) -> None:
    answer = await caller.asr.Recognize(asr.RecognizeRequest(audio=hush(1)))
    assert [result.alternatives[0].transcript for result in answer.results] == [""]


async def test_a_whole_wav_file_needs_no_further_words(caller: Caller) -> None:
    answer = await caller.asr.Recognize(asr.RecognizeRequest(audio=wav(TURN)))
    assert answer.results[0].audio_processed == pytest.approx(1.2, abs=0.01)


async def test_a_recording_that_cannot_be_served_is_refused_with_a_sentence(caller: Caller) -> None:
    request = asr.RecognizeRequest(config=asr.RecognitionConfig(encoding=7), audio=TURN)  # type: ignore[arg-type]
    with pytest.raises(grpc.aio.AioRpcError, match="Encoding 7 is not supported"):
        await caller.asr.Recognize(request)


async def test_a_streamed_wav_file_is_recognised_without_encoding_and_rate(caller: Caller) -> None:
    file = wav(TURN)
    first = asr.StreamingRecognizeRequest(streaming_config=asr.StreamingRecognitionConfig())
    for cut in (1, 11, 30, 44, 2000):
        assert len(finals(await caller.hear(first, file[:cut], file[cut:]))) == 1


async def test_a_header_is_not_heard_even_where_linear_pcm_is_named(caller: Caller) -> None:
    responses = await caller.hear(config(), wav(hush(1)))
    assert responses[-1].results[0].audio_processed == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
async def test_audio_of_any_rate_is_heard(caller: Caller, rate_hz: int) -> None:
    synthesise = hush(0.2, rate_hz) + hum(0.6, rate_hz) + hush(0.4, rate_hz)
    responses = await caller.hear(config(sample_rate_hertz=rate_hz), *pieces(synthesise))
    assert finals(responses) == ["caller 1 turn 1"]


@pytest.mark.parametrize(
    ("wire", "encoding"), [(audio.MULAW, Encoding.MULAW), (audio.ALAW, Encoding.ALAW)], ids=["mulaw", "alaw"]
)
async def test_telephone_audio_is_heard(
    caller: Caller, wire: audio.AudioEncoding.ValueType, encoding: Encoding
) -> None:
    synthesise = AudioFormat(encoding, 8_000).encode(hush(0.2, 8_000) + hum(0.6, 8_000) + hush(0.4, 8_000))
    responses = await caller.hear(config(encoding=wire, sample_rate_hertz=8_000), *pieces(synthesise, 5))
    assert finals(responses) == ["caller 1 turn 1"]


async def test_a_broken_file_ends_the_stream_with_a_sentence(caller: Caller) -> None:
    stereo = bytearray(wav(TURN))
    stereo[22] = 2
    with pytest.raises(grpc.aio.AioRpcError, match="Only mono audio supported"):
        await caller.hear(config(), bytes(stereo))


async def test_the_model_list_says_what_clients_look_for(caller: Caller) -> None:
    listed = await caller.asr.GetRivaSpeechRecognitionConfig(asr.RivaSpeechRecognitionConfigRequest())
    (entry,) = listed.model_config
    assert entry.model_name == "scripted-asr-streaming"
    assert dict(entry.parameters) == {
        "language_code": "en-US",
        "sample_rate_hertz": "16000",
        "streaming": "True",
        "type": "online",
    }


async def test_an_unknown_model_has_an_empty_list(caller: Caller) -> None:
    request = asr.RivaSpeechRecognitionConfigRequest(model_name="whatever")
    assert not (await caller.asr.GetRivaSpeechRecognitionConfig(request)).model_config
