"""Does a GPU really work here? onnxruntime lists providers it cannot load, so one node is run on it."""

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnxruntime

from speech_server.engines.onnx.gpu_errors import reason_of
from speech_server.engines.onnx.model_format import Device
from speech_server.errors import EngineUnavailable

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
PROBE = bytes.fromhex(
    "08083a350a0e0a01780a01781201792203416464120170"
    "5a0f0a0178120a0a08080112040a020801620f0a0179120a0a08080112040a02080142040a001011"
)
"""y = x + x for one float, as ONNX: opset 17, IR 8."""

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"

DeviceSetting = Literal["auto", "cuda", "cpu"]


@dataclass(frozen=True, slots=True)
class ChosenDevice:
    """Where the model runs, and a sentence why."""

    device: Device
    why: str


def choose(
    wanted: DeviceSetting,
    available: Sequence[str],
    try_cuda: Callable[[], Sequence[str]],
    setting: str = "PARAKEET_DEVICE",
) -> ChosenDevice:
    """The device. `try_cuda` gives the providers of a one-node session that ran on CUDA; `setting` names `wanted`.

    Raises EngineUnavailable when CUDA was asked for by name and isn't there.
    """
    if wanted == "cpu":
        return ChosenDevice("cpu", f"{setting} says so")
    if CUDA not in available:
        missing = "this onnxruntime has no CUDA"
    else:
        missing = _missing(try_cuda)
        if not missing:
            return ChosenDevice("cuda", "a test node ran on it")
    if wanted == "cuda":
        raise EngineUnavailable(
            f"{setting}=cuda, but {missing}. Install onnxruntime-gpu in place of onnxruntime (`make gpu`, or the "
            "-gpu image) where NVIDIA's driver is, or set it to auto to run on the CPU meanwhile."
        )
    return ChosenDevice("cpu", missing)


def probe(wanted: DeviceSetting, setting: str = "PARAKEET_DEVICE") -> ChosenDevice:
    """`choose` with the onnxruntime that is installed."""
    return choose(wanted, onnxruntime.get_available_providers(), cuda_session, setting)


def cuda_session() -> Sequence[str]:
    """Providers of a one-node session that asked for CUDA and was run. Raises whatever stands in its way."""
    try:
        # onnxruntime would say on stderr only that there is none.
        ctypes.CDLL(DRIVER)
    except OSError as error:
        raise EngineUnavailable(f"there is no NVIDIA driver here ({error})") from error
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is not None:
        preload()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(PROBE, options, providers=[CUDA, CPU], enable_fallback=False)
    # A session is also made where no kernel fits the card, or where nothing is left of its memory; a run fails there.
    (doubled,) = session.run(None, {"x": np.ones(1, np.float32)})
    if doubled[0] != 2.0:
        raise EngineUnavailable(f"the test node said 1 + 1 = {doubled[0]}")
    found: Sequence[str] = session.get_providers()
    return found


def _missing(try_cuda: Callable[[], Sequence[str]]) -> str:
    try:
        found = try_cuda()
    except Exception as error:  # whatever a driver or library says
        return f"CUDA can't be loaded: {reason_of(error)}"
    if CUDA not in found:
        return "CUDA's libraries or the driver don't load (cuDNN 9 and CUDA's runtime must match onnxruntime's)"
    return ""
