"""Which numbers does an ONNX file hold? Its constants by name, without a runtime that would run it.

The package `onnx` would do this at the price of 17 MB of memory and 31 MB of image; protobuf, which gRPC brings, reads
the five messages that are needed here. Field numbers: onnx/onnx.proto of ONNX 1.x, which never change.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Weights = dict[str, npt.NDArray[np.float32]]

_FLOAT = 1
"""TensorProto.DataType.FLOAT."""
_INT64, _INT32, _STRING, _BYTES, _MESSAGE = 3, 5, 9, 12, 11
"""FieldDescriptorProto.Type."""
_FIELDS: dict[str, tuple[tuple[str, int, int, str], ...]] = {
    "Tensor": (("dims", 1, _INT64, "*"), ("data_type", 2, _INT32, ""), ("raw_data", 9, _BYTES, "")),
    "Attribute": (("name", 1, _STRING, ""), ("t", 5, _MESSAGE, "Tensor"), ("g", 6, _MESSAGE, "Graph")),
    "Node": (("output", 2, _STRING, "*"), ("attribute", 5, _MESSAGE, "*Attribute")),
    "Graph": (("node", 1, _MESSAGE, "*Node"),),
    "Model": (("graph", 7, _MESSAGE, "Graph"),),
}
"""Name, number, type, and for a message which one; "*" = repeated."""


class NotOnnx(ValueError):
    """The file holds no model; the sentence names it."""


def read_weights(file: Path) -> Weights:
    """The constants of type float, those of inner graphs too, by the names of the outputs they are given out as.
    Raises OSError or NotOnnx."""
    try:
        model = _model_type().FromString(file.read_bytes())
    except Exception as error:  # DecodeError of whichever implementation of protobuf is installed
        if isinstance(error, OSError):
            raise
        raise NotOnnx(f"{file} is no ONNX model ({error})") from None
    return dict(_constants(model.graph))


def _constants(graph: Any) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _constants(attribute.g)
            if attribute.HasField("t") and attribute.t.data_type == _FLOAT and attribute.t.raw_data:
                values = np.frombuffer(attribute.t.raw_data, dtype="<f4").astype(np.float32)
                yield node.output[0], values.reshape(list(attribute.t.dims))


def _model_type() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="vad_onnx_subset.proto", package="vad_onnx_subset", syntax="proto2")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind, more in fields:
            added = message.field.add(name=field, number=number, type=kind)
            added.label = added.LABEL_REPEATED if more.startswith("*") else added.LABEL_OPTIONAL
            if kind == _MESSAGE:
                added.type_name = f".vad_onnx_subset.{more.removeprefix('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("vad_onnx_subset.Model"))
