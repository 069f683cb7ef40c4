"""The neural voices over a tiny model in the exact layout, phonemes made by the real eSpeak program."""

import asyncio
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from speech_server.core.tts.tts_types import SpeechRequest, SpokenChunk
from speech_server.engines.tts.kokoro.model_files import read_folder
from speech_server.engines.tts.kokoro.synthesiser import KokoroSetup, KokoroSynthesiser
from speech_server.errors import EngineUnavailable

from .tiny import RATE_HZ, write_model

STYLES = {"am_michael": 0.5, "af_heart": 0.25, "hf_alpha": 0.25, "hm_omega": 0.25, "bf_emma": 0.25, "jf_alpha": 0.1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path, STYLES)
    return tmp_path


@pytest.fixture
async def kokoro(folder: Path) -> AsyncIterator[KokoroSynthesiser]:
    engine = KokoroSynthesiser(KokoroSetup(lambda: folder, threads=1))
    await engine.start()
    yield engine
    await engine.stop()


async def say(
    engine: KokoroSynthesiser, text: str, voice: str = "Kokoro-EN-US.Female-Heart", **more: object
) -> list[SpokenChunk]:
    named = {each.name: each for each in engine.voices}
    request = SpeechRequest(text, named[voice], **more)  # type: ignore[arg-type]
    return [chunk async for chunk in engine.speak(request)]


def seconds(chunks: list[SpokenChunk]) -> float:
    return sum(len(chunk.pcm16) for chunk in chunks) / 2 / RATE_HZ


def peak(chunks: list[SpokenChunk]) -> int:
    return max(max(array("h", chunk.pcm16)) for chunk in chunks)


def words(chunks: list[SpokenChunk]) -> list[str]:
    return [word.text for chunk in chunks for word in chunk.words]


async def test_voices_are_listed_the_riva_way_the_default_first(kokoro: KokoroSynthesiser) -> None:
    assert [(voice.name, voice.language) for voice in kokoro.voices] == [
        ("Kokoro-EN-US.Female-Heart", "en-US"),
        ("Kokoro-EN-US.Male-Michael", "en-US"),
        ("Kokoro-EN-GB.Female-Emma", "en-GB"),
        ("Kokoro-HI-IN.Female-Alpha", "hi-IN"),
        ("Kokoro-HI-IN.Male-Omega", "hi-IN"),
    ]


async def test_each_voice_has_its_own_style(kokoro: KokoroSynthesiser) -> None:
    quiet, loud = await say(kokoro, "hello"), await say(kokoro, "hello", "Kokoro-EN-US.Male-Michael")
    assert peak(loud) == pytest.approx(2 * peak(quiet), rel=0.01)
    assert peak(loud) == pytest.approx(0.5 * 32767, rel=0.01)


async def test_english_and_hindi_become_symbols_of_their_own(kokoro: KokoroSynthesiser) -> None:
    assert seconds(await say(kokoro, "hello")) == pytest.approx((len("həlˈO") + 2) * 0.1)
    assert seconds(await say(kokoro, "नमस्ते", "Kokoro-HI-IN.Female-Alpha")) > 0.8


async def test_a_text_comes_phrase_by_phrase_with_its_words(kokoro: KokoroSynthesiser) -> None:
    chunks = await say(kokoro, "Good morning. How are you today? I am fine.")
    assert words(chunks) == ["Good", "morning.", "How", "are", "you", "today?", "I", "am", "fine."]
    starts = [word.start_s for chunk in chunks for word in chunk.words]
    assert starts == sorted(starts)
    assert all(len(chunk.pcm16) <= 2 * RATE_HZ // 5 for chunk in chunks)


async def test_the_first_phrase_is_there_before_the_second_is_made(kokoro: KokoroSynthesiser) -> None:
    voice = kokoro.voices[0]
    synthesis = kokoro.speak(SpeechRequest("One. " * 200, voice))
    first = await anext(synthesis)
    await synthesis.aclose()
    assert first.pcm16
    assert [word.text for word in first.words] == ["One."]


async def test_a_faster_voice_is_shorter(kokoro: KokoroSynthesiser) -> None:
    assert seconds(await say(kokoro, "hello", speed=2.0)) == pytest.approx(seconds(await say(kokoro, "hello")) / 2)


async def test_ssml_breaks_rates_and_phonemes_are_honoured(kokoro: KokoroSynthesiser) -> None:
    plain = seconds(await say(kokoro, "hello"))
    paused = await say(kokoro, '<speak>hello<break time="500ms"/></speak>', ssml=True)
    assert seconds(paused) == pytest.approx(plain + 0.5)
    slow = await say(kokoro, '<speak><prosody rate="50%">hello</prosody></speak>', ssml=True)
    assert seconds(slow) == pytest.approx(2 * plain)
    spelt = await say(kokoro, '<speak><phoneme alphabet="ipa" ph="ab">hello</phoneme></speak>', ssml=True)
    assert seconds(spelt) == pytest.approx(4 * 0.1)


async def test_a_custom_dictionary_is_spoken_and_its_words_keep_their_names(kokoro: KokoroSynthesiser) -> None:
    chunks = await say(kokoro, "Nvidia", pronunciations=(("NVIDIA", "ab"),))
    assert seconds(chunks) == pytest.approx(4 * 0.1)
    assert words(chunks) == ["NVIDIA"]


async def test_texts_of_several_callers_take_turns(kokoro: KokoroSynthesiser) -> None:
    lengths = [seconds(chunks) for chunks in await asyncio.gather(*[say(kokoro, "hello. " * 3) for _ in range(8)])]
    assert len(set(lengths)) == 1


async def test_a_phrase_that_takes_too_long_is_given_up(folder: Path) -> None:
    engine = KokoroSynthesiser(KokoroSetup(lambda: folder, threads=1, phrase_limit_s=0))
    with pytest.raises(EngineUnavailable, match="longer than 0 s"):
        await engine.start()
    await engine.stop()


def test_a_missing_model_is_named(folder: Path) -> None:
    (folder / "onnx" / "model_quantized.onnx").unlink()
    with pytest.raises(EngineUnavailable, match=r"model_quantized.onnx is missing"):
        read_folder(folder, "int8")


def test_a_damaged_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match=r"tokenizer.json is no tokenizer of Kokoro's"):
        read_folder(folder, "int8")


def test_a_damaged_voice_is_named(folder: Path) -> None:
    (folder / "voices" / "af_heart.bin").write_bytes(b"1234567")
    with pytest.raises(EngineUnavailable, match=r"af_heart\.bin is no voice"):
        read_folder(folder, "int8")


async def test_a_damaged_model_is_refused_with_a_sentence(folder: Path) -> None:
    (folder / "onnx" / "model_quantized.onnx").write_bytes(b"not a model")
    engine = KokoroSynthesiser(KokoroSetup(lambda: folder))
    with pytest.raises(EngineUnavailable, match=r"can't be loaded: .* pull the model again"):
        await engine.start()
    await engine.stop()


async def test_a_model_of_something_else_is_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(folder / "onnx" / "model_quantized.onnx")
    model.graph.input[2].name = "tempo"
    model.graph.node[4].input[1] = "tempo"
    onnx.save(model, folder / "onnx" / "model_quantized.onnx")
    engine = KokoroSynthesiser(KokoroSetup(lambda: folder))
    with pytest.raises(EngineUnavailable, match="a Kokoro model has"):
        await engine.start()
    await engine.stop()
