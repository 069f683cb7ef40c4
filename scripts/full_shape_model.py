"""How fast is a model of Parakeet 0.6B's shape? Writes one with random weights: the real ones need the hub.

usage: full_shape_model.py FOLDER [--precision fp32|fp16|int8] [--few-convolutions] [--layers 24] [--tokens 8192]

24 conformer layers of width 1024 (two feed-forwards, attention, convolution), subsampling by 8, a two-layer LSTM of
640 and a TDT joint. fp32 takes 2.5 GB on disk, fp16 1.2 GB, int8 0.7 GB. What it hears is noise; what it costs is real.
fp16 has the weights of fp32, rounded. A convolution block is three convolutions, as in NeMo's exports; in int8 and with
few convolutions two of them are products, and the others stay in fp32. Needs the package `onnx`.
"""

import argparse
import json
from pathlib import Path
from typing import IO, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEL, WIDTH, INNER, HEADS, CHANNELS, HIDDEN, DURATIONS = 128, 1024, 4096, 8, 256, 640, 5


class Graph:
    """Nodes and weights of one model; large weights go to a file beside it at once, so memory stays small."""

    def __init__(self, data: IO[bytes] | None, name: str, precision: str, seed: int, is_few: bool = False) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._data, self._name, self._int8 = data, name, precision == "int8"
        self.has_products = is_few or self._int8
        self._is_wide = is_few and precision == "fp16"
        self._floats: type = np.float16 if precision == "fp16" else np.float32
        self.number = helper.np_dtype_to_tensor_dtype(np.dtype(self._floats))
        self._rng = np.random.default_rng(seed)
        self._count = 0

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; gives the name of its output."""
        self._count += 1
        name = f"{kind}_{self._count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: Any, kind: type | None = None) -> str:
        """A weight with these values; without a kind, in the model's precision."""
        self._count += 1
        array = np.asarray(values, kind or self._floats)
        name = f"weight_{self._count}"
        if self._data is None or array.nbytes < 4096:
            self.weights.append(numpy_helper.from_array(array, name))
            return name
        tensor = TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", self._name), ("offset", self._data.tell()), ("length", array.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        self._data.write(array.tobytes())
        self.weights.append(tensor)
        return name

    def random(self, *shape: int, kind: type | None = None) -> str:
        """A random weight that keeps the size of what goes through it."""
        return self.constant(self._rng.standard_normal(shape, np.float32) / np.sqrt(np.prod(shape[1:])), kind)

    def convolution(self, x: str, *shape: int, **attributes: Any) -> str:
        """A convolution with random weights of this shape."""
        if not self._is_wide:
            return self.node("Conv", x, self.random(*shape), **attributes)
        weight = self.random(*shape, kind=np.float32)
        wide = self.node("Conv", self.node("Cast", x, to=TensorProto.FLOAT), weight, **attributes)
        return self.node("Cast", wide, to=TensorProto.FLOAT16)

    def linear(self, x: str, inside: int, outside: int) -> str:
        """x W, quantised as onnxruntime's dynamic quantisation does it when asked for."""
        if not self._int8:
            weight = self._rng.standard_normal((inside, outside), np.float32) / np.float32(np.sqrt(inside))
            return self.node("MatMul", x, self.constant(weight))
        self._count += 1
        parts = [f"{part}_{self._count}" for part in ("quantised", "scale", "zero")]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], parts))
        weight = self.constant(self._rng.integers(-127, 128, (inside, outside)), np.int8)
        product = self.node("MatMulInteger", parts[0], weight, parts[2], self.constant(0, np.int8))
        scale = self.node("Mul", parts[1], self.constant(1 / 73 / np.sqrt(inside)))
        return self.node("Mul", self.node("Cast", product, to=TensorProto.FLOAT), scale)

    def norm(self, x: str) -> str:
        """Layer normalisation."""
        return self.node(
            "LayerNormalization", x, self.constant(np.ones(WIDTH)), self.constant(np.zeros(WIDTH)), axis=-1
        )

    def swish(self, x: str) -> str:
        """x sigmoid(x)."""
        return self.node("Mul", x, self.node("Sigmoid", x))

    def save(self, path: Path, inputs: list[Any], outputs: list[tuple[str, Any]]) -> None:
        """Write the graph; `outputs` are (name inside, value info)."""
        for inside, info in outputs:
            self.nodes.append(helper.make_node("Identity", [inside], [info.name]))
        graph = helper.make_graph(self.nodes, path.stem, inputs, [info for _, info in outputs], self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def encoder(path: Path, layers: int, precision: str, is_few: bool = False) -> None:
    """A FastConformer's work."""
    with (path.parent / f"{path.name}.data").open("wb") as data:
        g = Graph(data, f"{path.name}.data", precision, 1, is_few)
        # [B, mel, T] as an image of one channel, halved three times in both directions.
        x = g.node("Unsqueeze", g.node("Transpose", "audio_signal", perm=[0, 2, 1]), g.constant([1], np.int64))
        channels = 1
        for _ in range(3):
            groups = 1 if channels == 1 else CHANNELS
            x = g.convolution(x, CHANNELS, 1, 3, 3, strides=[2, 2], pads=[1, 1, 1, 1], group=groups)
            if groups > 1:
                x = g.convolution(x, CHANNELS, CHANNELS, 1, 1)
            x, channels = g.node("Relu", x), CHANNELS
        x = g.node("Reshape", g.node("Transpose", x, perm=[0, 2, 1, 3]), g.constant([0, 0, -1], np.int64))
        x = g.linear(x, CHANNELS * MEL // 8, WIDTH)
        for _ in range(layers):
            x = _layer(g, x)
        out = g.node("Transpose", g.norm(x), perm=[0, 2, 1])
        one, eight = g.constant([1], np.int64), g.constant([8], np.int64)
        frames = g.node("Add", g.node("Div", g.node("Sub", "length", one), eight), one)
        info = helper.make_tensor_value_info
        inputs = [info("audio_signal", g.number, ["B", MEL, "T"]), info("length", TensorProto.INT64, ["B"])]
        outputs = [
            (out, info("outputs", g.number, ["B", WIDTH, "F"])),
            (frames, info("encoded_lengths", TensorProto.INT64, ["B"])),
        ]
        g.save(path, inputs, outputs)


def _layer(g: Graph, x: str) -> str:
    half = g.constant(0.5)
    x = g.node("Add", x, g.node("Mul", _feed_forward(g, x), half))
    x = g.node("Add", x, _attention(g, g.norm(x)))
    x = g.node("Add", x, _convolution(g, g.norm(x)))
    return g.norm(g.node("Add", x, g.node("Mul", _feed_forward(g, x), half)))


def _feed_forward(g: Graph, x: str) -> str:
    return g.linear(g.swish(g.linear(g.norm(x), WIDTH, INNER)), INNER, WIDTH)


def _attention(g: Graph, x: str) -> str:
    split = g.constant([0, 0, HEADS, WIDTH // HEADS], np.int64)
    query, key, value, place = (g.node("Reshape", g.linear(x, WIDTH, WIDTH), split) for _ in range(4))
    query, value = (g.node("Transpose", one, perm=[0, 2, 1, 3]) for one in (query, value))
    key, place = (g.node("Transpose", one, perm=[0, 2, 3, 1]) for one in (key, place))
    scores = g.node("Add", g.node("MatMul", query, key), g.node("MatMul", query, place))
    weights = g.node("Softmax", g.node("Mul", scores, g.constant((WIDTH / HEADS) ** -0.5)), axis=-1)
    mixed = g.node("Transpose", g.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    return g.linear(g.node("Reshape", mixed, g.constant([0, 0, WIDTH], np.int64)), WIDTH, WIDTH)


def _convolution(g: Graph, x: str) -> str:
    if g.has_products:
        gated = g.node("Mul", g.linear(x, WIDTH, WIDTH), g.node("Sigmoid", g.linear(x, WIDTH, WIDTH)))
        deep = _depthwise(g, g.node("Transpose", gated, perm=[0, 2, 1]))
        return g.linear(g.node("Transpose", deep, perm=[0, 2, 1]), WIDTH, WIDTH)
    x = g.node("Transpose", x, perm=[0, 2, 1])
    value, gate = (g.convolution(x, WIDTH, WIDTH, 1) for _ in range(2))
    deep = _depthwise(g, g.node("Mul", value, g.node("Sigmoid", gate)))
    return g.node("Transpose", g.convolution(deep, WIDTH, WIDTH, 1), perm=[0, 2, 1])


def _depthwise(g: Graph, x: str) -> str:
    return g.swish(g.convolution(x, WIDTH, 1, 9, pads=[4, 4], group=WIDTH))


def decoder(path: Path, tokens: int, precision: str) -> None:
    """Prediction network and joint, one step."""
    g = Graph(None, "", precision, 2)
    rng = np.random.default_rng(3)
    said = tokens + 1
    x = g.node("Transpose", g.node("Gather", g.random(said, HIDDEN), "targets"), perm=[1, 0, 2])
    states: list[list[str]] = [[], []]
    for layer in range(2):
        pick = g.constant([layer], np.int64)
        h, c = (g.node("Gather", f"input_states_{number}", pick, axis=0) for number in (1, 2))
        weights = [g.constant(rng.normal(0, 0.04, (1, 4 * HIDDEN, HIDDEN))) for _ in range(2)]
        bias = g.constant(np.zeros((1, 8 * HIDDEN)))
        names = [f"{part}_{layer}" for part in ("y", "h", "c")]
        g.nodes.append(helper.make_node("LSTM", [x, *weights, bias, "", h, c], names, hidden_size=HIDDEN))
        x = g.node("Squeeze", names[0], g.constant([1], np.int64))
        states[0].append(names[1])
        states[1].append(names[2])
    spoken = g.linear(g.node("Transpose", x, perm=[1, 0, 2]), HIDDEN, HIDDEN)
    heard = g.linear(g.node("Transpose", "encoder_outputs", perm=[0, 2, 1]), WIDTH, HIDDEN)
    scores = g.linear(g.node("Relu", g.node("Add", heard, spoken)), HIDDEN, said + DURATIONS)
    bias_values = np.zeros(said + DURATIONS)
    # About half of the steps blank, as in speech: the best of so many random scores grows as the root of a logarithm.
    bias_values[tokens] = 2.5 * np.sqrt(np.log(tokens) / np.log(8192))
    out = g.node("Unsqueeze", g.node("Add", scores, g.constant(bias_values)), g.constant([1], np.int64))
    first, second = (g.node("Concat", *parts, axis=0) for parts in states)
    info, number = helper.make_tensor_value_info, g.number
    inputs = [
        info("encoder_outputs", number, ["B", WIDTH, 1]),
        info("targets", TensorProto.INT32, ["B", 1]),
        info("target_length", TensorProto.INT32, ["B"]),
        *(info(f"input_states_{part}", number, [2, "B", HIDDEN]) for part in (1, 2)),
    ]
    outputs = [
        (out, info("outputs", number, ["B", 1, 1, said + DURATIONS])),
        ("target_length", info("prednet_lengths", TensorProto.INT32, ["B"])),
        (first, info("output_states_1", number, [2, "B", HIDDEN])),
        (second, info("output_states_2", number, [2, "B", HIDDEN])),
    ]
    g.save(path, inputs, outputs)


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--precision", choices=["fp32", "fp16", "int8"], default="fp32")
    parser.add_argument("--few-convolutions", action="store_true", help="what a GPU hears fastest")
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=8192)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    mark = "" if asked.precision == "fp32" else f".{asked.precision}"
    encoder(asked.folder / f"encoder-model{mark}.onnx", asked.layers, asked.precision, asked.few_convolutions)
    decoder(asked.folder / f"decoder_joint-model{mark}.onnx", asked.tokens, asked.precision)
    config = {"model_type": "nemo-conformer-tdt", "features_size": MEL, "subsampling_factor": 8}
    (asked.folder / "config.json").write_text(json.dumps({**config, "max_tokens_per_step": 10}), encoding="utf-8")
    pieces = [f"\u2581t{number}" for number in range(asked.tokens)]
    lines = "\n".join(f"{piece} {number}" for number, piece in enumerate([*pieces, "<blk>"]))
    (asked.folder / "vocab.txt").write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
