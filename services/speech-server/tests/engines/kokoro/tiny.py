"""A tiny model in Kokoro's exact layouts: every symbol is a tenth of a second of a tone, its level the style's first
value, its length divided by the speed."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SYMBOLS = ' ;:,.!?—…"()“”ˈˌːabdefhijklmnopqrstuvwxyzæðŋɐɑɒɔəɛɜɡɪɹɾʃʊʌʒθᵊAIOQWYʤʧʦʣ'
SYMBOL_SAMPLES = 2400
RATE_HZ = 24_000


def write_model(folder: Path, styles: dict[str, float], name: str = "onnx/model_quantized.onnx") -> None:
    """The folder as it lies on the hub."""
    for part in ("onnx", "voices"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    vocabulary = {"$": 0, **{symbol: number for number, symbol in enumerate(dict.fromkeys(SYMBOLS), 1)}}
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}), encoding="utf-8")
    (folder / "config.json").write_text("{}", encoding="utf-8")
    onnx.save(_model(), folder / name)
    for style, level in styles.items():
        _style(level).tofile(folder / "voices" / f"{style}.bin")


def write_release(
    folder: Path, styles: dict[str, float], name: str = "kokoro-v1.0.onnx", whole_speed: bool = False
) -> None:
    """The two files of kokoro-onnx's releases."""
    onnx.save(_model("tokens", "audio", whole_speed=whole_speed), folder / name)
    with (folder / "voices-v1.0.bin").open("wb") as file:
        np.savez(file, **{style: _style(level) for style, level in styles.items()})  # type: ignore[arg-type]


def write_sherpa(folder: Path, styles: dict[str, float]) -> None:
    """The files of sherpa-onnx."""
    model = _model("tokens", "audio")
    names = {"id2speaker": ",".join(f"{number}->{name}" for number, name in enumerate(styles)), "sample_rate": "24000"}
    helper.set_model_props(model, names)
    onnx.save(model, folder / "model.onnx")
    np.concatenate([_style(level) for level in styles.values()]).tofile(folder / "voices.bin")
    lines = [f"{symbol} {number}" for number, symbol in enumerate(["$", *dict.fromkeys(SYMBOLS)])]
    (folder / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_torch(folder: Path, styles: dict[str, float]) -> None:
    """Voices as the original model has them, beside an export with its config."""
    (folder / "voices").mkdir(parents=True)
    onnx.save(_model("tokens", "audio"), folder / "kokoro.onnx")
    (folder / "config.json").write_text(json.dumps({"vocab": {symbol: n for n, symbol in enumerate(SYMBOLS, 1)}}))
    for style, level in styles.items():
        saved = io.BytesIO()
        with zipfile.ZipFile(saved, "w") as archive:
            archive.writestr(f"{style}/data.pkl", b"cposix\nsystem\n(S'false'\ntR.")
            archive.writestr(f"{style}/byteorder", b"little")
            archive.writestr(f"{style}/data/0", _style(level).tobytes())
            archive.writestr(f"{style}/version", b"3\n")
        (folder / "voices" / f"{style}.pt").write_bytes(saved.getvalue())


def _style(level: float) -> "np.ndarray[Any, np.dtype[np.float32]]":
    return np.full((8, 1, 256), level, "<f4")


def _model(tokens: str = "input_ids", sound: str = "waveform", *, whole_speed: bool = False) -> onnx.ModelProto:
    """sound = style[0, 0] * tone, cut to len(tokens) * SYMBOL_SAMPLES / speed samples."""
    tone = np.sin(2 * np.pi * 440 * np.arange(512 * 4 * SYMBOL_SAMPLES) / RATE_HZ).astype(np.float32)
    constants = {
        "tone": tone[None, :],
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "axis": np.array([1], np.int64),
        "each": np.array([SYMBOL_SAMPLES], np.float32),
    }
    nodes = [
        helper.make_node("Shape", [tokens], ["shape"]),
        helper.make_node("Slice", ["shape", "one", "two"], ["length"]),
        helper.make_node("Cast", ["length"], ["length_f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["length_f", "each"], ["samples_f"]),
        helper.make_node("Div", ["samples_f", "speed_f" if whole_speed else "speed"], ["samples_s"]),
        helper.make_node("Cast", ["samples_s"], ["samples"], to=TensorProto.INT64),
        helper.make_node("Slice", ["tone", "zero", "samples", "axis"], ["cut"]),
        helper.make_node("Slice", ["style", "zero", "one", "axis"], ["level"]),
        helper.make_node("Mul", ["cut", "level"], [sound]),
    ]
    if whole_speed:
        nodes.insert(0, helper.make_node("Cast", ["speed"], ["speed_f"], to=TensorProto.FLOAT))
    constants["two"] = np.array([2], np.int64)
    graph = helper.make_graph(
        nodes,
        "kokoro",
        [
            helper.make_tensor_value_info(tokens, TensorProto.INT64, [1, "length"]),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
            helper.make_tensor_value_info("speed", TensorProto.INT32 if whole_speed else TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor_value_info(sound, TensorProto.FLOAT, [1, "samples"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
