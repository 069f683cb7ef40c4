"""How is a model loaded into onnxruntime, and how is a call of it ended?"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime

from speech_server.engines.onnx.gpu_errors import is_of_gpu, reason_of
from speech_server.engines.onnx.model_format import Device, ModelBroken
from speech_server.engines.onnx.providers import CPU, CUDA
from speech_server.errors import EngineUnavailable

NUMPY = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
"""Types of tensors, as onnxruntime writes them."""

CUDA_OPTIONS: Mapping[str, str] = {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"}
"""How onnxruntime uses a GPU."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may use."""

    threads: int = 0
    """0: as many as there are cores."""
    gpu_memory_bytes: int = 0
    """0: no limit."""


MOVE_LIMIT_S = 120.0
"""Longest time to load a model again in the middle of a run."""


class Stop:
    """Ends what a batch is doing in onnxruntime, from any thread; tells from when on the time of the batch counts."""

    def __init__(self) -> None:
        self.options = onnxruntime.RunOptions()
        self.counts_from = time.monotonic()
        """The limit of the run begins then; in the future while a model is loaded in the middle of it."""

    def now(self) -> None:
        """The running call ends with an error, as does every later one."""
        self.options.terminate = True

    @property
    def is_asked(self) -> bool:
        """Was `now` called?"""
        return bool(self.options.terminate)

    def renew(self) -> None:
        """What follows has the whole limit for itself."""
        self.counts_from = time.monotonic()

    @contextmanager
    def moving(self) -> Iterator[None]:
        """What happens in here, loading a model on another device, does not count; what follows has the whole limit."""
        self.counts_from = time.monotonic() + MOVE_LIMIT_S
        try:
            yield
        finally:
            self.renew()


class OnnxSession(Protocol):
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


class SessionOpener(Protocol):
    """How a graph is loaded; tests put faults here."""

    def __call__(self, path: Path, device: Device, limits: Limits) -> OnnxSession: ...


def open_session(
    path: Path,
    device: Device,
    limits: Limits,
    advice: str = "run `speech-server models verify`",
    cuda_options: Mapping[str, str] = CUDA_OPTIONS,
) -> OnnxSession:
    """Load a graph. Raises ModelBroken for a file that isn't one, EngineUnavailable when CUDA doesn't take it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = limits.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin between calls would take the cores of the network loop.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers: list[Any] = [CPU]
    if device == "cuda":
        cuda: dict[str, Any] = dict(cuda_options)
        if limits.gpu_memory_bytes:
            cuda["gpu_mem_limit"] = limits.gpu_memory_bytes
        providers = [(CUDA, cuda), CPU]
    try:
        # Left to itself, onnxruntime would go on with the CPU inside a session that still counts as the GPU's.
        graph = onnxruntime.InferenceSession(str(path), options, providers=providers, enable_fallback=False)
    except Exception as error:  # onnxruntime has no common base for its errors
        raise _not_loaded(path, device, error, advice) from error
    if device == "cuda" and CUDA not in graph.get_providers():
        raise EngineUnavailable(f"CUDA does not take {path.name}; it would run on the CPU without notice.")
    made: OnnxSession = graph
    return made


def giving_back_memory() -> Any:
    """Options of a call on the GPU after which onnxruntime keeps no memory that is not in use."""
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "gpu:0")
    return options


def _not_loaded(path: Path, device: Device, error: Exception, advice: str) -> EngineUnavailable:
    said = reason_of(error)
    if device == "cuda" and is_of_gpu(str(error).replace(str(path), "")):
        return EngineUnavailable(f"CUDA does not take {path.name}: {said}")
    return ModelBroken(f"{path} can't be loaded: {said}. It may be cut off, or its .data file missing: {advice}.")
