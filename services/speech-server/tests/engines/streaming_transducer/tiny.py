"""Streaming models in sherpa's exact layout with random weights, small enough to be made anew for every test run.

What the encoder says depends on its caches, so that a cache that is lost, mixed up or stale changes the tokens.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEL, WIDTH, HIDDEN, LAYERS = 80, 16, 12, 2
LOOK_BACK, CONVOLVED, RNN_LAYERS = 6, 3, 2
PIECES = 31
SUBSAMPLING, OVERLAP = 8, 9
BLANK_BIAS = 0.6
"""Makes about half of the steps blank, as in speech."""

node = helper.make_node
info = helper.make_tensor_value_info
FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32


def make_model(folder: Path, shift: int = 16, seed: int = 1, mel: int = MEL, mark: str = "") -> Path:
    """Write a model folder; `shift` are the new frames of a window, `mark` is ".int8" or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    pieces = [f"{'▁' if number % 3 == 0 else ''}w{number}" for number in range(PIECES)]
    lines = "\n".join(f"{token} {number}" for number, token in enumerate([*pieces, "<blk>"]))
    (folder / "tokens.txt").write_text(lines + "\n", encoding="utf-8")
    encoder = _encoder(rng, shift // SUBSAMPLING, mel)
    helper.set_model_props(encoder, metadata(shift))
    onnx.save(encoder, folder / f"encoder{mark}.onnx")
    onnx.save(_decoder(rng), folder / f"decoder{mark}.onnx")
    onnx.save(_joiner(rng), folder / f"joiner{mark}.onnx")
    return folder


def metadata(shift: int) -> dict[str, str]:
    """As the export scripts write it."""
    numbers = {
        "vocab_size": PIECES,
        "window_size": shift + OVERLAP,
        "chunk_shift": shift,
        "subsampling_factor": SUBSAMPLING,
        "pred_rnn_layers": RNN_LAYERS,
        "pred_hidden": HIDDEN,
        "cache_last_channel_dim1": LAYERS,
        "cache_last_channel_dim2": LOOK_BACK,
        "cache_last_channel_dim3": WIDTH,
        "cache_last_time_dim1": LAYERS,
        "cache_last_time_dim2": WIDTH,
        "cache_last_time_dim3": CONVOLVED,
    }
    return {"normalize_type": "NA", **{name: str(value) for name, value in numbers.items()}}


def describe(path: Path, **changed: str | None) -> None:
    """Change the metadata of a model file; None removes an entry."""
    model = onnx.load(path)
    said: dict[str, Any] = {one.key: one.value for one in model.metadata_props}
    said.update(changed)
    helper.set_model_props(model, {name: value for name, value in said.items() if value is not None})
    onnx.save(model, path)


def _weight(name: str, values: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, np.float32), name)


def _numbers(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def _model(
    nodes: list[onnx.NodeProto], inputs: list[Any], outputs: list[Any], weights: list[onnx.TensorProto]
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _encoder(rng: np.random.Generator, frames: int, mel: int) -> onnx.ModelProto:
    """frame = tanh(conv(window) + mean(channel cache) C + mean(time cache) D + filled / 10); caches shift along."""
    nodes = [
        # 17 frames wide: a window of shift + 9 frames gives shift / 8, each hearing some of the overlap.
        node("Conv", ["audio_signal", "w", "b"], ["conv"], kernel_shape=[17], strides=[8]),
        node("ReduceMean", ["cache_last_channel"], ["cm"], axes=[1, 2], keepdims=0),
        node("MatMul", ["cm", "C"], ["c"]),
        node("ReduceMean", ["cache_last_time"], ["tm"], axes=[1, 3], keepdims=0),
        node("MatMul", ["tm", "D"], ["d"]),
        node("Add", ["c", "d"], ["cd"]),
        node("Cast", ["cache_last_channel_len"], ["filled"], to=FLOAT),
        node("Mul", ["filled", "tenth"], ["f"]),
        node("Unsqueeze", ["f", "axis1"], ["f2"]),
        node("Add", ["cd", "f2"], ["cdf"]),
        node("Unsqueeze", ["cdf", "axis2"], ["context"]),
        node("Add", ["conv", "context"], ["sum"]),
        node("Tanh", ["sum"], ["outputs"]),
        node("Transpose", ["outputs"], ["rows"], perm=[0, 2, 1]),
        node("Unsqueeze", ["rows", "axis1"], ["rows1"]),
        node("Concat", ["rows1", "rows1"], ["rows2"], axis=1),
        node("Concat", ["cache_last_channel", "rows2"], ["channel"], axis=2),
        node("Slice", ["channel", "back", "end", "axis2"], ["cache_last_channel_next"]),
        node("Unsqueeze", ["outputs", "axis1"], ["columns1"]),
        node("Concat", ["columns1", "columns1"], ["columns2"], axis=1),
        node("Concat", ["cache_last_time", "columns2"], ["time"], axis=3),
        node("Slice", ["time", "convolved", "end", "axis3"], ["cache_last_time_next"]),
        node("Add", ["cache_last_channel_len", "frames"], ["more"]),
        node("Min", ["more", "most"], ["cache_last_channel_next_len"]),
        node("Sub", ["length", "overlap"], ["new"]),
        node("Div", ["new", "eight"], ["encoded_lengths"]),
    ]
    weights = [
        _weight("w", rng.normal(0, 0.04, (WIDTH, mel, 17))),
        _weight("b", rng.normal(0, 0.1, WIDTH)),
        _weight("C", rng.normal(0, 0.8, (WIDTH, WIDTH))),
        _weight("D", rng.normal(0, 0.8, (WIDTH, WIDTH))),
        _weight("tenth", 0.1),
        *(_numbers(f"axis{number}", number) for number in (1, 2, 3)),
        _numbers("back", -LOOK_BACK),
        _numbers("convolved", -CONVOLVED),
        _numbers("end", 1 << 40),
        _numbers("frames", frames),
        _numbers("most", LOOK_BACK),
        _numbers("overlap", OVERLAP),
        _numbers("eight", SUBSAMPLING),
    ]
    channel, time = ["B", LAYERS, LOOK_BACK, WIDTH], ["B", LAYERS, WIDTH, CONVOLVED]
    inputs = [
        info("audio_signal", FLOAT, ["B", mel, "T"]),
        info("length", INT64, ["B"]),
        info("cache_last_channel", FLOAT, channel),
        info("cache_last_time", FLOAT, time),
        info("cache_last_channel_len", INT64, ["B"]),
    ]
    outputs = [
        info("outputs", FLOAT, ["B", WIDTH, "F"]),
        info("encoded_lengths", INT64, ["B"]),
        info("cache_last_channel_next", FLOAT, channel),
        info("cache_last_time_next", FLOAT, time),
        info("cache_last_channel_next_len", INT64, ["B"]),
    ]
    return _model(nodes, inputs, outputs, weights)


def _decoder(rng: np.random.Generator) -> onnx.ModelProto:
    """state' = tanh(state R + embedding E); out = top state."""
    nodes = [
        node("Gather", ["embedding", "targets"], ["e3"]),
        node("Transpose", ["e3"], ["e"], perm=[1, 0, 2]),
        node("MatMul", ["states.1", "R"], ["r"]),
        node("Add", ["r", "e"], ["u"]),
        node("Tanh", ["u"], ["states"]),
        node("Add", ["onnx::Slice_3", "states"], ["v"]),
        node("Tanh", ["v"], ["162"]),
        node("Gather", ["162", "last"], ["top"], axis=0),
        node("Unsqueeze", ["top", "axis2"], ["outputs"]),
        node("Identity", ["target_length"], ["prednet_lengths"]),
    ]
    state = [RNN_LAYERS, "B", HIDDEN]
    inputs = [info("targets", INT32, ["B", 1]), info("target_length", INT32, ["B"])]
    inputs += [info("states.1", FLOAT, state), info("onnx::Slice_3", FLOAT, state)]
    outputs = [info("outputs", FLOAT, ["B", HIDDEN, 1]), info("prednet_lengths", INT32, ["B"])]
    outputs += [info("states", FLOAT, state), info("162", FLOAT, state)]
    weights = [
        _weight("embedding", rng.normal(0, 0.8, (PIECES + 1, HIDDEN))),
        _weight("R", rng.normal(0, 0.4, (HIDDEN, HIDDEN))),
        numpy_helper.from_array(np.array(RNN_LAYERS - 1, np.int64), "last"),
        _numbers("axis2", 2),
    ]
    return _model(nodes, inputs, outputs, weights)


def _joiner(rng: np.random.Generator) -> onnx.ModelProto:
    """scores = tanh(frame A + prediction P) J + bias."""
    bias = np.zeros(PIECES + 1)
    bias[PIECES] = BLANK_BIAS
    nodes = [
        node("Transpose", ["encoder_outputs"], ["f"], perm=[0, 2, 1]),
        node("MatMul", ["f", "A"], ["a"]),
        node("Transpose", ["decoder_outputs"], ["g"], perm=[0, 2, 1]),
        node("MatMul", ["g", "P"], ["p"]),
        node("Add", ["a", "p"], ["j1"]),
        node("Tanh", ["j1"], ["j2"]),
        node("MatMul", ["j2", "J"], ["j3"]),
        node("Add", ["j3", "bias"], ["j4"]),
        node("Unsqueeze", ["j4", "axis1"], ["outputs"]),
    ]
    inputs = [info("encoder_outputs", FLOAT, ["B", WIDTH, 1]), info("decoder_outputs", FLOAT, ["B", HIDDEN, 1])]
    weights = [
        _weight("A", rng.normal(0, 0.8, (WIDTH, WIDTH))),
        _weight("P", rng.normal(0, 0.6, (HIDDEN, WIDTH))),
        _weight("J", rng.normal(0, 0.7, (WIDTH, PIECES + 1))),
        _weight("bias", bias),
        _numbers("axis1", 1),
    ]
    return _model(nodes, inputs, [info("outputs", FLOAT, ["B", 1, 1, PIECES + 1])], weights)
