"""A tiny model in Kokoro's exact layout: every symbol is a fifth of a second of a tone, its level the style's first
value, its length divided by the speed."""

import json
from pathlib import Path

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
        np.full((8, 1, 256), level, "<f4").tofile(folder / "voices" / f"{style}.bin")


def _model() -> onnx.ModelProto:
    """waveform = style[0, 0] * tone, cut to len(input_ids) * SYMBOL_SAMPLES / speed samples."""
    tone = np.sin(2 * np.pi * 440 * np.arange(512 * 4 * SYMBOL_SAMPLES) / RATE_HZ).astype(np.float32)
    constants = {
        "tone": tone[None, :],
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "axis": np.array([1], np.int64),
        "each": np.array([SYMBOL_SAMPLES], np.float32),
    }
    nodes = [
        helper.make_node("Shape", ["input_ids"], ["shape"]),
        helper.make_node("Slice", ["shape", "one", "two"], ["length"]),
        helper.make_node("Cast", ["length"], ["length_f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["length_f", "each"], ["samples_f"]),
        helper.make_node("Div", ["samples_f", "speed"], ["samples_s"]),
        helper.make_node("Cast", ["samples_s"], ["samples"], to=TensorProto.INT64),
        helper.make_node("Slice", ["tone", "zero", "samples", "axis"], ["cut"]),
        helper.make_node("Slice", ["style", "zero", "one", "axis"], ["level"]),
        helper.make_node("Mul", ["cut", "level"], ["waveform"]),
    ]
    constants["two"] = np.array([2], np.int64)
    graph = helper.make_graph(
        nodes,
        "kokoro",
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "length"]),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
            helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
        ],
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, [1, "samples"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
