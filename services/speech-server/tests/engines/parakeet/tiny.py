"""Models of the true layout with random weights, small enough to be made anew for every test run."""

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Kind = Literal["tdt", "rnnt", "ctc"]

MEL, WIDTH, HIDDEN, LAYERS = 80, 16, 12, 2
PIECES = 31
DURATIONS = 5
BLANK_BIAS = 0.6
"""Makes about half of the steps blank, as in speech."""


def make_model(
    folder: Path, kind: Kind = "tdt", precision: Literal["fp32", "fp16", "int8"] = "fp32", seed: int = 1, mel: int = MEL
) -> Path:
    """Write a model folder: config.json, vocab.txt and the graphs. The fp32 encoder has its weights in a .data file."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    config = {"model_type": f"nemo-conformer-{kind}", "features_size": mel, "subsampling_factor": 8}
    (folder / "config.json").write_text(json.dumps({**config, "max_tokens_per_step": 10}))
    pieces = [f"{'▁' if number % 3 == 0 else ''}w{number}" for number in range(PIECES)]
    vocabulary = [*pieces, "<blk>"]
    lines = "\n".join(f"{token} {number}" for number, token in enumerate(vocabulary))
    (folder / "vocab.txt").write_text(lines + "\n", encoding="utf-8")
    mark = "" if precision == "fp32" else f".{precision}"
    half = precision == "fp16"
    if kind == "ctc":
        onnx.save(_ctc(rng, half, mel), folder / f"model{mark}.onnx")
        return folder
    external: dict[str, Any] = {
        "save_as_external_data": True,
        "location": "encoder-model.onnx.data",
        "size_threshold": 0,
    }
    encoder = folder / f"encoder-model{mark}.onnx"
    if precision == "fp32":
        (folder / "encoder-model.onnx.data").unlink(missing_ok=True)
    onnx.save(_encoder(rng, half, mel), encoder, **(external if precision == "fp32" else {}))
    onnx.save(_decoder(rng, half, DURATIONS if kind == "tdt" else 0), folder / f"decoder_joint-model{mark}.onnx")
    return folder


def _weight(name: str, values: Any, half: bool) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, np.float16 if half else np.float32), name)


def _numbers(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def _model(
    nodes: list[onnx.NodeProto], inputs: list[Any], outputs: list[Any], weights: list[onnx.TensorProto]
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _subsampled(rng: np.random.Generator, half: bool, mel: int) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    nodes = [
        helper.make_node("Conv", ["audio_signal", "w", "b"], ["c"], kernel_shape=[8], strides=[8], pads=[0, 7]),
        helper.make_node("Tanh", ["c"], ["encoded"]),
    ]
    weights = [
        _weight("w", rng.normal(0, 0.15, (WIDTH, mel, 8)), half),
        _weight("b", rng.normal(0, 0.1, WIDTH), half),
    ]
    return nodes, weights


def _sound(half: bool, mel: int) -> list[Any]:
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    return [
        helper.make_tensor_value_info("audio_signal", kind, ["B", mel, "T"]),
        helper.make_tensor_value_info("length", TensorProto.INT64, ["B"]),
    ]


def _encoder(rng: np.random.Generator, half: bool, mel: int) -> onnx.ModelProto:
    nodes, weights = _subsampled(rng, half, mel)
    nodes += [
        helper.make_node("Identity", ["encoded"], ["outputs"]),
        helper.make_node("Sub", ["length", "one"], ["l1"]),
        helper.make_node("Div", ["l1", "eight"], ["l2"]),
        helper.make_node("Add", ["l2", "one"], ["encoded_lengths"]),
    ]
    weights += [_numbers("one", 1), _numbers("eight", 8)]
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    outputs = [
        helper.make_tensor_value_info("outputs", kind, ["B", WIDTH, "F"]),
        helper.make_tensor_value_info("encoded_lengths", TensorProto.INT64, ["B"]),
    ]
    return _model(nodes, _sound(half, mel), outputs, weights)


def _ctc(rng: np.random.Generator, half: bool, mel: int) -> onnx.ModelProto:
    nodes, weights = _subsampled(rng, half, mel)
    bias = np.zeros(PIECES + 1)
    bias[-1] = 2.0
    nodes += [
        helper.make_node("Transpose", ["encoded"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["t", "v"], ["m"]),
        helper.make_node("Add", ["m", "bias"], ["s"]),
        helper.make_node("LogSoftmax", ["s"], ["logprobs"], axis=-1),
    ]
    weights += [_weight("v", rng.normal(0, 0.6, (WIDTH, PIECES + 1)), half), _weight("bias", bias, half)]
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    out = [helper.make_tensor_value_info("logprobs", kind, ["B", "F", PIECES + 1])]
    return _model(nodes, _sound(half, mel), out, weights)


def _decoder(rng: np.random.Generator, half: bool, durations: int) -> onnx.ModelProto:
    """state' = tanh(state R + embedding E); scores = (tanh(frame A + top state P)) J + bias."""
    width = PIECES + 1 + durations
    bias = np.zeros(width)
    bias[PIECES] = BLANK_BIAS
    node = helper.make_node
    nodes = [
        node("Gather", ["embedding", "targets"], ["e3"]),
        node("Transpose", ["e3"], ["e"], perm=[1, 0, 2]),
        node("MatMul", ["input_states_1", "R"], ["r"]),
        node("Add", ["r", "e"], ["u"]),
        node("Tanh", ["u"], ["output_states_1"]),
        node("Add", ["input_states_2", "output_states_1"], ["v"]),
        node("Tanh", ["v"], ["output_states_2"]),
        node("Gather", ["output_states_2", "last"], ["top"], axis=0),
        node("Transpose", ["encoder_outputs"], ["f3"], perm=[0, 2, 1]),
        node("MatMul", ["f3", "A"], ["a"]),
        node("MatMul", ["top", "P"], ["p2"]),
        node("Unsqueeze", ["p2", "axis"], ["p"]),
        node("Add", ["a", "p"], ["j1"]),
        node("Tanh", ["j1"], ["j2"]),
        node("MatMul", ["j2", "J"], ["j3"]),
        node("Add", ["j3", "bias"], ["j4"]),
        node("Unsqueeze", ["j4", "axis"], ["outputs"]),
        node("Identity", ["target_length"], ["prednet_lengths"]),
    ]
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    info = helper.make_tensor_value_info
    inputs = [
        info("encoder_outputs", kind, ["B", WIDTH, 1]),
        info("targets", TensorProto.INT32, ["B", 1]),
        info("target_length", TensorProto.INT32, ["B"]),
        info("input_states_1", kind, [LAYERS, "B", HIDDEN]),
        info("input_states_2", kind, [LAYERS, "B", HIDDEN]),
    ]
    outputs = [
        info("outputs", kind, ["B", 1, 1, width]),
        info("prednet_lengths", TensorProto.INT32, ["B"]),
        info("output_states_1", kind, [LAYERS, "B", HIDDEN]),
        info("output_states_2", kind, [LAYERS, "B", HIDDEN]),
    ]
    weights = [
        _weight("embedding", rng.normal(0, 0.8, (PIECES + 1, HIDDEN)), half),
        _weight("R", rng.normal(0, 0.4, (HIDDEN, HIDDEN)), half),
        _weight("A", rng.normal(0, 0.8, (WIDTH, WIDTH)), half),
        _weight("P", rng.normal(0, 0.6, (HIDDEN, WIDTH)), half),
        _weight("J", rng.normal(0, 0.7, (WIDTH, width)), half),
        _weight("bias", bias, half),
        numpy_helper.from_array(np.array(LAYERS - 1, np.int64), "last"),
        _numbers("axis", 1),
    ]
    return _model(nodes, inputs, outputs, weights)
