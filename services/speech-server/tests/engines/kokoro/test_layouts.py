"""Kokoro's model as others publish it: other names of files, inputs and outputs, voices in one file, no tokenizer."""

from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from speech_server.core.tts.tts_types import SpeechRequest
from speech_server.engines.onnx.model_format import Precision
from speech_server.engines.tts.kokoro.model_files import read_folder
from speech_server.engines.tts.kokoro.synthesiser import KokoroSetup, KokoroSynthesiser
from speech_server.engines.tts.kokoro.vocabulary import PUBLISHED
from speech_server.errors import EngineUnavailable

from .tiny import RATE_HZ, write_model, write_release, write_sherpa, write_torch

STYLES = {"af_bella": 0.5, "af_heart": 0.25, "bm_george": 0.1}
Started = Callable[..., Awaitable[KokoroSynthesiser]]


@pytest.fixture
async def started() -> AsyncIterator[Started]:
    """Start the engine on a folder; it is stopped after the test."""
    async with AsyncExitStack() as stack:

        async def start(folder: Path, precision: Precision = "int8") -> KokoroSynthesiser:
            engine = KokoroSynthesiser(KokoroSetup(lambda: folder, precision, threads=1))
            stack.push_async_callback(engine.stop)
            await engine.start()
            return engine

        yield start


async def say(engine: KokoroSynthesiser, voice: str, speed: float = 1.0) -> tuple[float, int]:
    """Seconds and peak of a word."""
    named = {each.name: each for each in engine.voices}
    request = SpeechRequest("hello", named[voice], speed=speed)
    pcm16 = b"".join([chunk.pcm16 async for chunk in engine.speak(request)])
    return len(pcm16) / 2 / RATE_HZ, max(array("h", pcm16))


@pytest.mark.parametrize("write", [write_release, write_sherpa, write_torch])
async def test_a_folder_as_published_speaks(
    write: Callable[[Path, dict[str, float]], None], tmp_path: Path, started: Started
) -> None:
    write(tmp_path, STYLES)
    engine = await started(tmp_path)
    assert [voice.name for voice in engine.voices] == [
        "Kokoro-EN-US.Female-Heart",
        "Kokoro-EN-US.Female-Bella",
        "Kokoro-EN-GB.Male-George",
    ]
    length_s, loud = await say(engine, "Kokoro-EN-US.Female-Bella")
    assert length_s == pytest.approx((len("həlˈO") + 2) * 0.1)
    assert loud == pytest.approx(0.5 * 32767, rel=0.01)
    assert (await say(engine, "Kokoro-EN-GB.Male-George"))[1] == pytest.approx(0.1 * 32767, rel=0.01)


async def test_the_hubs_folder_needs_no_tokenizer(tmp_path: Path, started: Started) -> None:
    write_model(tmp_path, STYLES)
    (tmp_path / "tokenizer.json").unlink()
    assert (await say(await started(tmp_path), "Kokoro-EN-US.Female-Heart"))[0] == pytest.approx(0.7)


def test_the_published_numbers_are_those_of_the_model() -> None:
    assert len(PUBLISHED) == 114
    known = {";": 1, ".": 4, " ": 16, "A": 24, "a": 43, "z": 68, "ɐ": 70, "ə": 83, "ɡ": 92, "ŋ": 112, "ɹ": 123}
    known |= {"ʊ": 135, "ˈ": 156, "ː": 158, "ᵻ": 177}
    assert {symbol: PUBLISHED[symbol] for symbol in known} == known


async def test_an_export_with_whole_speeds_speaks(tmp_path: Path, started: Started) -> None:
    write_release(tmp_path, STYLES, whole_speed=True)
    engine = await started(tmp_path)
    assert [(await say(engine, "Kokoro-EN-US.Female-Heart", speed))[0] for speed in (0.25, 1, 2.2)] == [
        pytest.approx(length_s) for length_s in (0.7, 0.7, 0.35)
    ]


def test_the_precision_is_read_from_the_published_name(tmp_path: Path) -> None:
    for name in ("kokoro-v1.0.onnx", "kokoro-v1.0.fp16.onnx", "kokoro-v1.0.int8.onnx"):
        write_release(tmp_path, STYLES, name)
    found = [read_folder(tmp_path, precision).model.name for precision in ("fp32", "fp16", "int8")]
    assert found == ["kokoro-v1.0.onnx", "kokoro-v1.0.fp16.onnx", "kokoro-v1.0.int8.onnx"]


def test_of_two_models_none_is_guessed(tmp_path: Path) -> None:
    for name in ("kokoro-v1.0.onnx", "kokoro-v1.0.fp16.onnx"):
        write_release(tmp_path, STYLES, name)
    with pytest.raises(EngineUnavailable, match=r"\(kokoro-v1.0.fp16.onnx, kokoro-v1.0.onnx in .*set KOKORO_PRECISION"):
        read_folder(tmp_path, "int8")


@pytest.mark.parametrize("damaged", [b"", b"PK\x03\x04nothing", b"x" * 1025])
def test_damaged_voices_are_named(tmp_path: Path, damaged: bytes) -> None:
    write_release(tmp_path, STYLES)
    (tmp_path / "voices-v1.0.bin").write_bytes(damaged)
    with pytest.raises(EngineUnavailable, match=r"voices-v1.0.bin holds no voices of Kokoro's"):
        read_folder(tmp_path, "fp32")


def test_voices_that_would_run_code_are_refused(tmp_path: Path) -> None:
    write_release(tmp_path, STYLES)
    with (tmp_path / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, af_heart=np.array([print], dtype=object))
    with pytest.raises(EngineUnavailable, match=r"voices-v1.0.bin holds no voices of Kokoro's"):
        read_folder(tmp_path, "fp32")
