"""How is a model loaded into onnxruntime, and how is it asked? The only place that calls it for Parakeet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime

from speech_server.parakeet.layout import Device, ModelBroken, ModelFiles
from speech_server.parakeet.providers import CPU, CUDA
from speech_server.parakeet.transducer import Floats, Ints, States
from speech_server.ports import EngineUnavailable


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may use."""

    threads: int = 0
    """0: as many as there are cores."""
    gpu_memory_bytes: int = 0
    """0: no limit."""


class Stop:
    """Ends what a batch is doing in onnxruntime, from any thread."""

    def __init__(self) -> None:
        self.options = onnxruntime.RunOptions()

    def now(self) -> None:
        """The running call ends with an error, as does every later one."""
        self.options.terminate = True

    @property
    def is_asked(self) -> bool:
        """Was `now` called?"""
        return bool(self.options.terminate)


class Graph(Protocol):
    """What is used of an onnxruntime session."""

    def run(self, names: list[str], feed: dict[str, Any], options: Any = None) -> list[Any]:
        """Outputs by name."""

    def get_inputs(self) -> list[Any]:
        """Names, shapes and types."""

    def get_outputs(self) -> list[Any]:
        """Likewise."""

    def get_modelmeta(self) -> Any:
        """What the export wrote into the file; strings by name in `custom_metadata_map`."""

    def get_providers(self) -> list[str]:
        """Where it runs."""


class OpenGraph(Protocol):
    """How a graph is loaded; tests put faults here."""

    def __call__(self, path: Path, device: Device, limits: Limits) -> Graph: ...


def open_graph(path: Path, device: Device, limits: Limits, advice: str = "run `speech-server models verify`") -> Graph:
    """Load a graph. Raises ModelBroken for a file that isn't one, EngineUnavailable when CUDA doesn't take it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = limits.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin between calls would take the cores of the network loop.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers: list[Any] = [CPU]
    if device == "cuda":
        cuda: dict[str, Any] = {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"}
        if limits.gpu_memory_bytes:
            cuda["gpu_mem_limit"] = limits.gpu_memory_bytes
        providers = [(CUDA, cuda), CPU]
    try:
        graph = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime has no common base for its errors
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ModelBroken(
            f"{path} can't be loaded: {reason}. It may be cut off, or its .data file missing: {advice}."
        ) from error
    if device == "cuda" and CUDA not in graph.get_providers():
        raise EngineUnavailable(f"CUDA does not take {path.name}; it would run on the CPU unsaid.")
    made: Graph = graph
    return made


class Encoder:
    """The encoder of a transducer, or a whole CTC model."""

    def __init__(self, graph: Graph, files: ModelFiles) -> None:
        self._graph = graph
        self._is_ctc = files.decoder is None
        self._subsampling = files.subsampling
        self._types = _types(graph, files.encoder, ("audio_signal", "length"))
        shape = {one.name: one.shape for one in graph.get_inputs()}["audio_signal"]
        said = shape[1] if len(shape) == 3 and isinstance(shape[1], int) else None
        if said is not None and files.mel_bands not in (None, said):
            raise ModelBroken(f"{files.encoder.name} takes {said} mel bands, config.json says {files.mel_bands}.")
        self.mel_bands: int = said or files.mel_bands or 80

    def run(self, features: Floats, lengths: Ints, stop: Stop) -> tuple[Floats, Ints]:
        """[batch, mel, time] in; [batch, frames, width] and frames of each out (CTC: width = vocabulary)."""
        feed = {"audio_signal": features.astype(self._types["audio_signal"]), "length": lengths}
        if self._is_ctc:
            (out,) = self._graph.run(["logprobs"], feed, stop.options)
            return out.astype(np.float32, copy=False), np.minimum((lengths - 1) // self._subsampling + 1, out.shape[1])
        out, frames = self._graph.run(["outputs", "encoded_lengths"], feed, stop.options)
        encoded = np.ascontiguousarray(out.transpose(0, 2, 1), dtype=np.float32)
        return encoded, np.minimum(frames.astype(np.int64), encoded.shape[1])


class OnnxJoint:
    """Prediction and joint network of one batch, on onnxruntime."""

    def __init__(self, graph: Graph, files: ModelFiles, stop: Stop) -> None:
        assert files.decoder is not None
        self._graph = graph
        self._stop = stop
        self._tokens = len(files.vocabulary)
        names = ("encoder_outputs", "targets", "target_length", "input_states_1", "input_states_2")
        self._types = _types(graph, files.decoder, names)
        self._shapes = {one.name: one.shape for one in graph.get_inputs()}
        width = {one.name: one.shape for one in graph.get_outputs()}["outputs"][-1]
        if isinstance(width, int) and width < self._tokens:
            raise ModelBroken(f"vocab.txt has {self._tokens} tokens, the decoder knows {width}; pull the model again.")
        for name in ("input_states_1", "input_states_2"):
            layers, _, hidden = self._shapes[name]
            if not isinstance(layers, int) or not isinstance(hidden, int):
                raise ModelBroken(f"{files.decoder.name}: {name} has no fixed size; export the model again.")

    def start(self, clips: int) -> States:
        """Zeros."""
        first, second = (self._shapes[name] for name in ("input_states_1", "input_states_2"))
        zeros = [np.zeros((shape[0], clips, shape[2]), np.float32) for shape in (first, second)]
        return zeros[0], zeros[1]

    def step(self, frames: Floats, tokens: Ints, states: States) -> tuple[Floats, States]:
        """One call for all clips."""
        feed: dict[str, Any] = {
            "encoder_outputs": frames[:, :, None],
            "targets": tokens[:, None],
            "target_length": np.ones(len(tokens)),
            "input_states_1": states[0],
            "input_states_2": states[1],
        }
        typed = {name: value.astype(self._types[name], copy=False) for name, value in feed.items()}
        names = ["outputs", "output_states_1", "output_states_2"]
        scores, first, second = self._graph.run(names, typed, self._stop.options)
        flat = scores.reshape(len(tokens), -1).astype(np.float32, copy=False)
        if flat.shape[1] < self._tokens:
            raise ModelBroken(f"vocab.txt has {self._tokens} tokens, the decoder knows {flat.shape[1]}.")
        return flat, (first.astype(np.float32, copy=False), second.astype(np.float32, copy=False))


NUMPY = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


def _types(graph: Graph, path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    found = {one.name: NUMPY.get(one.type) for one in graph.get_inputs()}
    missing = [name for name in names if found.get(name) is None]
    if missing:
        raise ModelBroken(f"{path.name} has no input {' or '.join(missing)}; is it a NeMo export in onnx-asr's layout?")
    return found
