"""What a recognition request may ask for: honoured, or a warning beside the result. Field by field."""

from array import array
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from pcm import Clip
from pcm.compressed import decode_file, encode_file
from speech_server.core.asr.asr_types import AsrModel, Hypothesis, Word
from speech_server.engines.asr.scripted.recogniser import ScriptedRecogniser, ScriptedUtterances
from speech_server.wire import riva_asr_pb2 as asr
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire import riva_tts_pb2 as tts

from .caller import Caller, chunk, config, finals, hum, hush, partials, pieces, results

CallServer = Callable[..., Awaitable[Caller]]
TURN = hush(0.2) + hum(0.8) + hush(0.4)


async def warnings(caller: Caller, **fields: object) -> list[str]:
    """What the status carries beside it."""
    call = caller.asr.StreamingRecognize(iter([config(True, **fields), chunk(TURN)]))
    async for _ in call:
        pass
    return [str(value) for name, value in await call.trailing_metadata() if name == "speech-warning"]


def boosts(*phrases: str) -> list[asr.SpeechContext]:
    return [asr.SpeechContext(phrases=phrases, boost=20)]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(("wire", "container"), [(audio.FLAC, "flac"), (audio.OGGOPUS, "opus")])
async def test_compressed_audio_is_heard_while_it_arrives(
    caller: Caller, wire: audio.AudioEncoding.ValueType, container: str, named: bool
) -> None:
    data = encode_file(Clip(TURN, 16_000), container)  # type: ignore[arg-type]
    said = {"encoding": wire} if named else {"encoding": audio.ENCODING_UNSPECIFIED, "sample_rate_hertz": 0}
    responses = await caller.hear(config(**said), *[data[at : at + 501] for at in range(0, len(data), 501)])
    assert finals(responses) == ["caller 1 turn 1"]
    whole = await caller.asr.Recognize(asr.RecognizeRequest(audio=data))
    assert whole.results[0].alternatives[0].transcript == "caller 2 turn 1"


async def test_bare_samples_that_are_said_to_be_flac_are_refused(caller: Caller) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="does not begin like it"):
        await caller.hear(config(encoding=audio.FLAC), TURN)


async def test_a_broken_flac_stream_ends_with_a_sentence(caller: Caller) -> None:
    data = encode_file(Clip(TURN, 16_000), "flac")[:60] + bytes(3000)
    with pytest.raises(grpc.aio.AioRpcError, match="FLAC stream is broken"):
        await caller.hear(config(encoding=audio.FLAC), data)


async def test_what_has_no_effect_is_said_beside_the_result(caller: Caller) -> None:
    said = await warnings(
        caller,
        speech_contexts=boosts("meters"),
        enable_automatic_punctuation=True,
        profanity_filter=True,
        custom_configuration={"enable_vad_endpointing": "true", "beam": "8"},
    )
    assert [sentence.split(" has no effect")[0] for sentence in said] == [
        "speech_contexts",
        "enable_automatic_punctuation",
        "profanity_filter",
        "custom_configuration key beam",
    ]


async def test_a_request_that_is_honoured_has_no_warning(caller: Caller) -> None:
    custom = {"neural_vad.onset": "0.6", "get_vad_probabilities": "true", "enable_vad_endpointing": "true"}
    assert await warnings(caller, verbatim_transcripts=True, custom_configuration=custom) == []


async def test_a_whole_recording_carries_warnings_too(caller: Caller) -> None:
    wish = asr.RecognitionConfig(speech_contexts=boosts("ünïted"))
    call = caller.asr.Recognize(asr.RecognizeRequest(config=wish, audio=TURN))
    await call
    assert [name for name, _ in await call.trailing_metadata()] == ["speech-warning"]


async def test_number_words_become_digits_unless_verbatim_is_asked_for(call_server: CallServer) -> None:
    caller = await call_server(SCRIPT_TRANSCRIPT="call room twenty five now", SPEECH_WRITE_NUMBERS="true")
    assert finals(await caller.hear(config(), *pieces(TURN))) == ["call room 25 now"]
    assert finals(await caller.hear(config(verbatim_transcripts=True), *pieces(TURN))) == ["call room twenty five now"]


async def test_a_profanity_filter_masks_the_operators_words(call_server: CallServer, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("# mild ones\ndarn\n")
    caller = await call_server(SCRIPT_TRANSCRIPT="that Darn printer", SPEECH_PROFANITY_FILE=str(words))
    assert finals(await caller.hear(config(profanity_filter=True), *pieces(TURN))) == ["that D*** printer"]
    assert partials(await caller.hear(config(profanity_filter=True), *pieces(TURN)))[-1] == "that D*** printer"
    assert finals(await caller.hear(config(), *pieces(TURN))) == ["that Darn printer"]


async def test_the_detectors_scores_come_when_asked_for(caller: Caller) -> None:
    wish = config(custom_configuration={"get_vad_probabilities": "true"})
    heard = [result for answer in await caller.hear(wish, *pieces(TURN)) for result in answer.results]
    scores = [score for result in heard for score in result.pipeline_states.vad_probabilities]
    assert set(scores) == {0.0, 1.0}
    assert 0.8 * 100 <= scores.count(1.0) <= 0.85 * 100
    plain = [result for answer in await caller.hear(config(), *pieces(TURN)) for result in answer.results]
    assert not any(result.HasField("pipeline_states") for result in plain)


async def test_punctuation_is_taken_out_where_it_is_not_asked_for(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = AsrModel("writes-everything", ("en-US",), punctuates=True, boosts=True)
    monkeypatch.setattr(ScriptedRecogniser, "models", (model,))
    said = Hypothesis("Hello, Mr. Smith!", tuple(Word(word, 0, 1) for word in ("Hello,", "Mr.", "Smith!")), 0.9)
    await _always(monkeypatch, said)
    assert finals(await caller.hear(config(), *pieces(TURN))) == ["hello mr smith"]
    wish = config(enable_automatic_punctuation=True, enable_word_time_offsets=True, speech_contexts=boosts("Smith"))
    final = results(await caller.hear(wish, *pieces(TURN)))[-1].alternatives[0]
    assert final.transcript == "Hello, Mr. Smith!"
    assert [word.word for word in final.words] == ["Hello,", "Mr.", "Smith!"]
    assert await warnings(caller, enable_automatic_punctuation=True, speech_contexts=boosts("Smith")) == []


async def test_alternatives_come_best_first_as_many_as_asked_for(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = (Hypothesis("recognise peach"), Hypothesis("wreck a nice beach"))
    await _always(monkeypatch, Hypothesis("recognise speech", others=others))
    for wanted, known in ((0, 1), (1, 1), (2, 2), (30, 3)):
        final = results(await caller.hear(config(max_alternatives=wanted), *pieces(TURN)))[-1]
        texts = [alternative.transcript for alternative in final.alternatives]
        assert texts == ["recognise speech", "recognise peach", "wreck a nice beach"][:known]
    wish = asr.RecognitionConfig(max_alternatives=2)
    whole = await caller.asr.Recognize(asr.RecognizeRequest(config=wish, audio=TURN))
    assert len(whole.results[0].alternatives) == 2


async def _always(monkeypatch: pytest.MonkeyPatch, said: Hypothesis) -> None:
    async def finish(self: ScriptedUtterances) -> Hypothesis:
        return said

    monkeypatch.setattr(ScriptedUtterances, "finish", finish)


async def test_noise_below_the_level_has_no_words(call_server: CallServer) -> None:
    quiet = array("h", [sample // 200 for sample in array("h", TURN)]).tobytes()
    caller = await call_server(SCRIPT_ENERGY_DBFS="-90", SPEECH_QUIETEST_DBFS="-55")
    assert finals(await caller.hear(config(), *pieces(quiet))) == [""]
    assert finals(await caller.hear(config(), *pieces(TURN)))[0].startswith("caller")
    caller = await call_server(SCRIPT_ENERGY_DBFS="-90", SPEECH_QUIETEST_DBFS="-96")
    assert finals(await caller.hear(config(), *pieces(quiet)))[0].startswith("caller")


@pytest.mark.parametrize("encoding", [audio.FLAC, audio.OGGOPUS])
async def test_speech_comes_compressed_streamed_and_whole(
    caller: Caller, encoding: audio.AudioEncoding.ValueType
) -> None:
    request = tts.SynthesizeSpeechRequest(text="hello there my friends", encoding=encoding)
    plain = await caller.tts.Synthesize(tts.SynthesizeSpeechRequest(text=request.text))
    whole = decode_file((await caller.tts.Synthesize(request)).audio)
    parts = [answer.audio async for answer in caller.tts.SynthesizeOnline(iter([request]))]
    assert len(parts) > 1
    assert whole.duration_s == pytest.approx(len(plain.audio) / 2 / 22_050, abs=0.02)
    assert decode_file(b"".join(parts)).duration_s == pytest.approx(whole.duration_s, abs=0.02)
    assert whole.rate_hz == (22_050 if encoding == audio.FLAC else 24_000)
