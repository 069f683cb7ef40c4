"""What does a model folder that isn't right get? A sentence that says which file, and what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from speech_server.engines.asr.streaming_transducer.model import StreamingModel
from speech_server.engines.asr.streaming_transducer.model_files import find_model
from speech_server.engines.onnx.model_format import ModelBroken
from speech_server.engines.onnx.session import Limits, Stop

from .tiny import PIECES, describe, make_model

FILES = ("encoder.onnx", "decoder.onnx", "joiner.onnx", "tokens.txt")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * (path.stat().st_size // 256 + 1))


def clear(path: Path) -> None:
    path.write_bytes(b"")


def drop(path: Path) -> None:
    path.unlink()


def load(folder: Path) -> StreamingModel:
    model = StreamingModel(find_model(folder, "cpu"), "cpu", Limits(1))
    model.measure(2, Stop())
    return model


@pytest.mark.parametrize("damage", [cut, scribble, clear, drop])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_in_a_sentence(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    folder = make_model(tmp_path)
    damage(folder / name)
    with pytest.raises(ModelBroken) as told:
        load(folder)
    sentence = str(told.value)
    assert name.split(".")[0] in sentence
    assert "lace the files" in sentence or "Place encoder.onnx" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 700
    assert "models pull" not in sentence, "there is no pull for these models"


def test_a_folder_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="STREAMING_MODEL_PATH"):
        find_model(tmp_path / "nothing", "cpu")


@pytest.mark.parametrize("name", ["window_size", "vocab_size", "cache_last_time_dim2", "pred_hidden"])
def test_missing_metadata_is_named(tmp_path: Path, name: str) -> None:
    describe(make_model(tmp_path) / "encoder.onnx", **{name: None})
    with pytest.raises(ModelBroken, match=name):
        load(tmp_path)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"window_size": "many"}, "window_size='many'"),
        ({"chunk_shift": "0"}, "chunk_shift='0'"),
        ({"chunk_shift": "-8"}, "chunk_shift='-8'"),
        ({"window_size": "8"}, "the window holds the shift"),
        ({"chunk_shift": "12"}, "whole encoder frames"),
        ({"vocab_size": "1024"}, "vocab_size 1024"),
        ({"normalize_type": "per_feature"}, "per_feature"),
        ({"pred_rnn_layers": "5"}, "decoder.onnx, joiner.onnx do not fit"),
        ({"cache_last_channel_dim2": "70"}, r"cache_last_channel is \[2, 70, 16\]"),
        ({"cache_last_time_dim3": "8"}, r"cache_last_time is \[2, 16, 8\]"),
    ],
)
def test_metadata_that_makes_no_sense_is_refused(tmp_path: Path, changed: dict[str, str], told: str) -> None:
    describe(make_model(tmp_path) / "encoder.onnx", **changed)
    with pytest.raises(ModelBroken, match=told):
        load(tmp_path)


@pytest.mark.parametrize("kind", ["NA", "None", "", None])
def test_features_that_are_not_normalised_have_many_names(tmp_path: Path, kind: str | None) -> None:
    describe(make_model(tmp_path) / "encoder.onnx", normalize_type=kind)
    load(tmp_path)


def test_a_vocabulary_without_a_blank_at_its_end_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    lines = ["<blk> 0", *(f"t{number} {number}" for number in range(1, PIECES + 1))]
    (folder / "tokens.txt").write_text("\n".join(lines))
    with pytest.raises(ModelBroken, match="does not end with <blk>"):
        load(folder)


def test_an_offline_model_is_sent_to_the_other_engine(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    (folder / "encoder.onnx").write_bytes((folder / "joiner.onnx").read_bytes())
    with pytest.raises(ModelBroken, match=r"encoder\.onnx has 2 inputs"):
        load(folder)


def test_the_best_precision_for_the_device_is_taken(tmp_path: Path) -> None:
    make_model(tmp_path)
    assert find_model(tmp_path, "cpu").precision == "fp32"
    make_model(tmp_path, mark=".int8")
    (tmp_path / "decoder.int8.onnx").unlink()
    found = find_model(tmp_path, "cpu")
    assert (found.encoder.name, found.joiner.name) == ("encoder.int8.onnx", "joiner.int8.onnx")
    assert found.decoder.name == "decoder.onnx", "exports often leave the small networks as they are"
    assert find_model(tmp_path, "cuda").precision == "fp32"
    with pytest.raises(ModelBroken, match="STREAMING_PRECISION"):
        find_model(tmp_path, "cpu", "fp16")


@pytest.mark.parametrize("mel", [80, 128])
@pytest.mark.parametrize("shift", [8, 56])
def test_chunks_of_any_length_and_both_front_ends_load(tmp_path: Path, mel: int, shift: int) -> None:
    assert load(make_model(tmp_path, shift, mel=mel)).shape.shift == shift
