"""How are the three networks of a streaming model asked? With arrays of all callers at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from speech_server.engines.asr.streaming_transducer.model_files import Shape, StreamingFiles, read_shape
from speech_server.engines.onnx.model_format import ModelBroken
from speech_server.engines.onnx.session import NUMPY, OnnxSession, Stop
from speech_server.engines.onnx.transducer import Floats, Ints

ENCODER_INPUTS = ("audio_signal", "length", "cache_last_channel", "cache_last_time", "cache_last_channel_len")


@dataclass(frozen=True, slots=True)
class Caches:
    """What the encoder remembers, the callers along the first axis."""

    channel: Floats
    time: Floats
    filled: Ints
    """How much of `channel` is heard already, in encoder frames."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the prediction network makes of the tokens so far, the callers along the first axis of `out`."""

    out: Floats
    first: Floats
    """Its states: [layers, callers, width]."""
    second: Floats


class StreamingEncoder:
    """The encoder: a window of every caller in, its new frames and caches out."""

    def __init__(self, graph: OnnxSession, files: StreamingFiles) -> None:
        self._graph = graph
        self._types = _types(graph, files.encoder.name, 5, 5)
        names = tuple(self._types)
        if names != ENCODER_INPUTS:
            raise ModelBroken(
                f"{files.encoder.name} takes {', '.join(names)} in place of {', '.join(ENCODER_INPUTS)}; "
                "is it a streaming model in sherpa's layout?"
            )
        self._outputs = [one.name for one in graph.get_outputs()[:5]]
        self.shape: Shape = read_shape(graph.get_modelmeta().custom_metadata_map, files)
        self._caches_fit(graph, files.encoder.name)
        mel = graph.get_inputs()[0].shape[1]
        if mel not in (80, 128):
            raise ModelBroken(f"{files.encoder.name} takes {mel} mel bands; only 80 and 128 have a front-end.")
        self.mel_bands: int = mel

    def _caches_fit(self, graph: OnnxSession, name: str) -> None:
        said = {"cache_last_channel": self.shape.channel_cache, "cache_last_time": self.shape.time_cache}
        for one in graph.get_inputs():
            taken = tuple(one.shape[1:])
            if one.name in said and any(
                isinstance(a, int) and a != b for a, b in zip(taken, said[one.name], strict=True)
            ):
                raise ModelBroken(
                    f"{name} says in its metadata that {one.name} is {list(said[one.name])}, but takes {list(taken)} "
                    "a caller; export it again."
                )

    def empty(self) -> Caches:
        """Of one caller who has said nothing."""
        channel, time = self.shape.channel_cache, self.shape.time_cache
        return Caches(np.zeros((1, *channel), np.float32), np.zeros((1, *time), np.float32), np.zeros(1, np.int64))

    def run(self, windows: Floats, caches: Caches, stop: Stop) -> tuple[Floats, Caches]:
        """[callers, window, mel] in; [callers, frames, width] out."""
        values = (windows.transpose(0, 2, 1), np.full(len(windows), self.shape.window), *_arrays(caches))
        out, _, channel, time, filled = self._graph.run(self._outputs, _feed(self._types, values), stop.options)
        encoded = np.ascontiguousarray(out.transpose(0, 2, 1), dtype=np.float32)
        new = Caches(channel.astype(np.float32, copy=False), time.astype(np.float32, copy=False), filled)
        if any(a.shape != b.shape for a, b in zip(_arrays(caches), _arrays(new), strict=True)):
            raise ModelBroken("The encoder's caches change their shape from call to call; export the model again.")
        return encoded, new


class Predictor:
    """The prediction network (sherpa's "decoder")."""

    def __init__(self, graph: OnnxSession, files: StreamingFiles, shape: Shape) -> None:
        self._graph = graph
        self._types = _types(graph, files.decoder.name, 4, 4)
        self._outputs = [one.name for one in graph.get_outputs()[:4]]
        self._empty = np.zeros((shape.rnn_layers, 1, shape.rnn_width), np.float32)
        self._blank = files.blank

    def start(self, stop: Stop) -> Prediction:
        """Of one caller, before the first token."""
        return self.run(np.array([self._blank]), self._empty, self._empty, stop)

    def run(self, tokens: Ints, first: Floats, second: Floats, stop: Stop) -> Prediction:
        """After these tokens, one a caller."""
        values = (tokens[:, None], np.ones(len(tokens)), first, second)
        out, _, first, second = self._graph.run(self._outputs, _feed(self._types, values), stop.options)
        flat = out.reshape(len(tokens), -1).astype(np.float32, copy=False)
        return Prediction(flat, first.astype(np.float32, copy=False), second.astype(np.float32, copy=False))


class Joiner:
    """The joint network: a frame and a prediction in, scores of all tokens out."""

    def __init__(self, graph: OnnxSession, files: StreamingFiles) -> None:
        self._graph = graph
        self._name = files.joiner.name
        self._tokens = len(files.vocabulary)
        self._types = _types(graph, self._name, 2, 1)
        self._outputs = [graph.get_outputs()[0].name]

    def run(self, frames: Floats, predicted: Floats, stop: Stop) -> Floats:
        """[callers, width] each; [callers, vocabulary] scores."""
        values = (frames[:, :, None], predicted[:, :, None])
        (scores,) = self._graph.run(self._outputs, _feed(self._types, values), stop.options)
        flat: Floats = scores.reshape(len(frames), -1).astype(np.float32, copy=False)
        if flat.shape[1] != self._tokens:
            raise ModelBroken(f"tokens.txt has {self._tokens} tokens, {self._name} knows {flat.shape[1]}.")
        return flat


def _arrays(caches: Caches) -> tuple[Any, Any, Any]:
    return caches.channel, caches.time, caches.filled


def _feed(types: dict[str, Any], values: tuple[Any, ...]) -> dict[str, Any]:
    return {name: value.astype(kind, copy=False) for (name, kind), value in zip(types.items(), values, strict=True)}


def _types(graph: OnnxSession, name: str, inputs: int, outputs: int) -> dict[str, Any]:
    """Types of the inputs, in the order of the file: the layout goes by places."""
    found = {one.name: NUMPY.get(one.type) for one in graph.get_inputs()}
    if len(found) != inputs or None in found.values() or len(graph.get_outputs()) < outputs:
        raise ModelBroken(
            f"{name} has {len(found)} inputs and {len(graph.get_outputs())} outputs, not {inputs} and {outputs}; "
            "is it a streaming model in sherpa's layout?"
        )
    return found
