"""What does a model folder that isn't right get? A sentence that says which file, and what to do."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from speech_server.engines.asr.offline.model import measure
from speech_server.engines.asr.parakeet.model import ParakeetModel, Placement
from speech_server.engines.asr.parakeet.model_files import find_model
from speech_server.engines.onnx.model_format import ModelBroken
from speech_server.engines.onnx.session import Limits

from .tiny import PIECES, make_model

ENCODER, DATA, DECODER = "encoder-model.onnx", "encoder-model.onnx.data", "decoder_joint-model.onnx"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * (path.stat().st_size // 256 + 1))


def clear(path: Path) -> None:
    path.write_bytes(b"")


def drop(path: Path) -> None:
    path.unlink()


def load(folder: Path) -> ParakeetModel:
    model = ParakeetModel(find_model(folder, "cpu"), Placement(limits=Limits(1)))
    measure(model, 0.3)
    return model


@pytest.mark.parametrize("damage", [cut, scribble, clear, drop])
@pytest.mark.parametrize("name", [ENCODER, DATA, DECODER, "vocab.txt"])
def test_a_damaged_file_is_named_in_a_sentence(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    folder = make_model(tmp_path)
    damage(folder / name)
    if name == DATA and damage is scribble:
        load(folder)  # other numbers are still numbers; only the checksum can tell
        return
    with pytest.raises(ModelBroken) as told:
        load(folder)
    sentence = str(told.value)
    assert "\n" not in sentence
    assert len(sentence) < 700
    assert any(advice in sentence for advice in ("pull", "Pull", "verify"))
    assert name.split("-")[0].split(".")[0] in sentence or (name, damage) == (ENCODER, drop)


def test_a_folder_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="speech-server models pull"):
        find_model(tmp_path / "nothing", "cpu")


def test_the_best_precision_for_the_device_is_taken(tmp_path: Path) -> None:
    make_model(tmp_path, precision="fp32")
    make_model(tmp_path, precision="fp16")
    make_model(tmp_path, precision="int8")
    assert find_model(tmp_path, "cpu").precision == "int8"
    assert find_model(tmp_path, "cuda").precision == "fp32"
    assert find_model(tmp_path, "cpu", "fp32").precision == "fp32"


def test_an_int8_model_never_goes_to_a_gpu_unasked(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"no fp32 or fp16 model.*int8"):
        find_model(make_model(tmp_path, precision="int8"), "cuda")


def test_a_wished_precision_that_is_not_there_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="PARAKEET_PRECISION"):
        find_model(make_model(tmp_path), "cpu", "int8")


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"features_size": 81})])
def test_a_config_that_makes_no_sense_is_named(tmp_path: Path, content: str) -> None:
    (make_model(tmp_path) / "config.json").write_text(content)
    with pytest.raises(ModelBroken, match=r"config\.json"):
        find_model(tmp_path, "cpu")


def test_without_a_config_the_graph_tells(tmp_path: Path) -> None:
    (make_model(tmp_path) / "config.json").unlink()
    assert load(tmp_path).encoder.mel_bands == 80


def test_a_config_that_contradicts_the_graph_is_refused(tmp_path: Path) -> None:
    (make_model(tmp_path) / "config.json").write_text(json.dumps({"features_size": 128}))
    with pytest.raises(ModelBroken, match="takes 80 mel bands"):
        load(tmp_path)


def test_a_model_of_128_mel_bands_loads(tmp_path: Path) -> None:
    assert load(make_model(tmp_path, mel=128)).encoder.mel_bands == 128


@pytest.mark.parametrize("kind", ["tdt", "ctc"])
def test_the_vocabulary_of_another_model_is_noticed(tmp_path: Path, kind: str) -> None:
    folder = make_model(tmp_path, kind)  # type: ignore[arg-type]
    lines = "\n".join(f"t{number} {number}" for number in range(PIECES * 3))
    (folder / "vocab.txt").write_text(f"{lines}\n<blk> {PIECES * 3}\n")
    with pytest.raises(ModelBroken, match=r"vocab\.txt has 94 tokens"):
        load(folder)


def test_a_graph_that_is_no_speech_model_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    (folder / ENCODER).write_bytes((folder / DECODER).read_bytes())
    with pytest.raises(ModelBroken, match="has no input audio_signal"):
        load(folder)
