"""Can an operator fetch, list, check and delete the weights of every engine?"""

from collections.abc import Callable
from pathlib import Path

import pytest
from engines.kokoro.tiny import write_model as write_kokoro
from engines.parakeet.fake_hub import REPO, REVISION, hub
from engines.parakeet.tiny import make_model as make_parakeet
from engines.streaming_transducer.tiny import make_model as make_streaming
from speech_server.app import main
from speech_server.engines.tts.kokoro.spec import KOKORO
from speech_server.model_store.store import folder_of, keep, write_manifest

Set = Callable[..., None]
Said = pytest.CaptureFixture[str]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Set:
    """Set variables; caches lie in the test's folder."""

    def set_all(**variables: str) -> None:
        caches = {"PARAKEET_CACHE": str(tmp_path / "cache"), "KOKORO_CACHE": str(tmp_path / "cache")}
        for name, value in {**caches, **variables}.items():
            monkeypatch.setenv(name, value)

    return set_all


@pytest.fixture(scope="session")
def parakeet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_parakeet(tmp_path_factory.mktemp("parakeet"), seed=4)


def pulled_kokoro(root: Path) -> Path:
    place = folder_of(root, KOKORO)
    write_kokoro(place, {"af_heart": 0.25})
    files = {path.relative_to(place).as_posix(): keep(path) for path in place.rglob("*") if path.is_file()}
    write_manifest(place, KOKORO, files)
    return place


def test_a_model_is_pulled_listed_verified_and_removed(
    given: Set, parakeet: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said, tmp_path: Path
) -> None:
    given(SPEECH_ASR_ENGINE="parakeet", PARAKEET_MODEL_ID=REPO, PARAKEET_REVISION=REVISION)
    with hub(parakeet) as origin:
        monkeypatch.setenv("HF_ENDPOINT", origin.endpoint)
        assert main(["models", "pull", "--precision", "fp32"]) == 0
    assert REVISION in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert "someone/tiny-onnx" in capsys.readouterr().out
    assert main(["models", "verify"]) == 0
    assert "whole" in capsys.readouterr().out
    (tmp_path / "cache" / "someone--tiny-onnx" / REVISION / "vocab.txt").write_text("x 0\n")
    assert main(["models", "verify"]) == 1
    assert "vocab.txt" in capsys.readouterr().out
    assert main(["models", "rm", REPO]) == 0
    assert main(["models", "verify"]) == 1
    assert "never fetched" in capsys.readouterr().err


def test_what_is_refused_is_refused_in_sentences(given: Set, capsys: Said) -> None:
    given()
    assert main(["models", "pull", "whisper"]) == 1
    assert "not known" in capsys.readouterr().err
    assert main(["models", "pull", "nemo-parakeet-ctc-0.6b"]) == 1
    assert "PARAKEET_REVISION" in capsys.readouterr().err
    assert main(["models", "rm"]) == 1
    assert "Name the model" in capsys.readouterr().err
    given(SPEECH_ASR_ENGINE="streaming")
    assert main(["models", "verify"]) == 1
    assert "STREAMING_MODEL_PATH" in capsys.readouterr().err


def test_kokoro_is_kept_like_every_other_model(given: Set, capsys: Said, tmp_path: Path) -> None:
    given(SPEECH_ASR_ENGINE="scripted", SPEECH_TTS_ENGINE="kokoro")
    assert main(["models", "verify"]) == 1
    place = pulled_kokoro(tmp_path / "cache")
    assert main(["models", "pull"]) == 0, "what is whole is not fetched again"
    assert str(place) in capsys.readouterr().out
    assert main(["models", "verify"]) == 0
    assert main(["models", "list"]) == 0
    assert "kokoro-82m-v1.0              pulled" in capsys.readouterr().out
    next(place.glob("voices/*.bin")).write_bytes(b"short")
    assert main(["models", "verify", "kokoro"]) == 1
    assert "voices/af_heart.bin" in capsys.readouterr().out
    assert main(["models", "rm", "kokoro"]) == 0
    assert not place.exists()


def test_every_model_of_the_chosen_engines_is_verified(given: Set, parakeet: Path, capsys: Said) -> None:
    given(SPEECH_ASR_ENGINE="parakeet", SPEECH_TTS_ENGINE="kokoro", PARAKEET_MODEL_PATH=str(parakeet))
    assert main(["models", "verify"]) == 1
    said = capsys.readouterr()
    assert "encoder-model.onnx" in said.out
    assert "kokoro-82m-v1.0 was never fetched" in said.err


def test_a_streaming_folder_placed_by_hand_is_listed_and_verified(given: Set, tmp_path: Path, capsys: Said) -> None:
    folder = make_streaming(tmp_path / "streaming", seed=4)
    given(SPEECH_ASR_ENGINE="streaming", STREAMING_MODEL_PATH=str(folder), STREAMING_MODEL_NAME="calls")
    assert main(["models", "list"]) == 0
    assert f"STREAMING_MODEL_PATH  {folder}" in capsys.readouterr().out
    assert main(["models", "verify"]) == 0
    assert "it loads: encoder.onnx" in capsys.readouterr().out
    assert main(["models", "pull"]) == 0
    assert "nothing to pull" in capsys.readouterr().out
    assert main(["models", "rm", "calls"]) == 1
    assert "delete" in capsys.readouterr().err
    encoder = folder / "encoder.onnx"
    encoder.write_bytes(encoder.read_bytes()[:-100])
    assert main(["models", "verify"]) == 1
    assert "can't be loaded" in capsys.readouterr().err


def test_voices_are_those_of_the_chosen_engine(given: Set, tmp_path: Path, capsys: Said) -> None:
    given(SPEECH_TTS_ENGINE="tone")
    assert main(["voices"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    given(SPEECH_TTS_ENGINE="kokoro")
    assert main(["voices"]) == 1
    assert "speech-server models pull kokoro-82m-v1.0" in capsys.readouterr().err
    pulled_kokoro(tmp_path / "cache")
    assert main(["voices"]) == 0
    assert capsys.readouterr().out == "Kokoro-EN-US.Female-Heart  en-US\n"
