"""Where the neural model lies, and the voices as a caller meets them."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from speech_server.app import Server
from speech_server.engine_settings import KokoroSettings
from speech_server.engines.tts.kokoro.spec import KOKORO, model
from speech_server.errors import EngineUnavailable
from speech_server.model_store.download import PullFailed, pull_files
from speech_server.model_store.store import folder_of, keep, write_manifest
from speech_server.settings import Settings
from speech_server.wire import riva_audio_pb2 as audio
from speech_server.wire import riva_tts_pb2 as tts
from speech_server.wire.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from .tiny import write_model

SETTINGS = {
    "SPEECH_HOST": "127.0.0.1",
    "SPEECH_GRPC_PORT": "0",
    "SPEECH_HTTP_PORT": "0",
    "SPEECH_ASR_ENGINE": "scripted",
    "SPEECH_TTS_ENGINE": "kokoro",
    "SPEECH_DRAIN_NOTICE_S": "0",
}


@pytest.fixture
def placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model placed by hand."""
    write_model(tmp_path / "kokoro", {"af_heart": 0.25, "am_michael": 0.25, "hf_alpha": 0.25})
    monkeypatch.setenv("KOKORO_MODEL_PATH", str(tmp_path / "kokoro"))
    return tmp_path / "kokoro"


async def test_a_server_speaks_with_a_model_placed_by_hand(placed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    server = Server(Settings())
    try:
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            stub = RivaSpeechSynthesisStub(channel)
            listed = await stub.GetRivaSynthesisConfig(tts.RivaSynthesisConfigRequest())
            assert [entry.parameters["voice_name"] for entry in listed.model_config] == [
                "Kokoro-EN-US",
                "Kokoro-HI-IN",
            ]
            assert listed.model_config[0].parameters["subvoices"] == "Female-Heart:0,Male-Michael:1"
            for voice in ("", "Kokoro-HI-IN.Female-Alpha", "Magpie-Multilingual.EN-US.Leo"):
                request = tts.SynthesizeSpeechRequest(
                    text="hello", voice_name=voice, encoding=audio.LINEAR_PCM, sample_rate_hz=16_000,
                    custom_dictionary="hello  ab",
                )  # fmt: skip
                answer = await stub.Synthesize(request)
                assert len(answer.audio) / 2 / 16_000 == pytest.approx(0.4, abs=0.01)
    finally:
        await server.stop()


def test_without_leave_to_fetch_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="speech-server models pull kokoro"):
        model(KokoroSettings(kokoro_cache=tmp_path, kokoro_pull=False)).fetched("int8")


def test_a_model_that_was_fetched_is_found_again(tmp_path: Path) -> None:
    chosen = KokoroSettings(kokoro_cache=tmp_path)
    place = folder_of(tmp_path, KOKORO)
    write_model(place, {"af_heart": 0.25})
    files = {path.relative_to(place).as_posix(): keep(path) for path in place.rglob("*") if path.is_file()}
    write_manifest(place, KOKORO, files)
    assert model(chosen).fetched("int8") == place


@pytest.fixture
def nowhere() -> Iterator[str]:
    """A hub's address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_hub_that_cannot_be_reached_is_told_with_this_models_settings(tmp_path: Path, nowhere: str) -> None:
    never: Callable[[float], None] = lambda seconds: None  # noqa: E731
    with pytest.raises(PullFailed, match="set KOKORO_MODEL_PATH to their folder"):
        pull_files(KOKORO, ("*.json",), lambda have: False, tmp_path, nowhere, never)
