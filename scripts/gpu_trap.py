"""How does a GPU fail for good? A kernel that traps ends this process's CUDA context, as a broken kernel would.

Every later CUDA call of this process then fails, whoever makes it, until the process ends; no other process notices.
"""

import ctypes
from typing import Any

PTX = b""".version 6.3
.target sm_75
.address_size 64
.visible .entry fail() { trap; }
\0"""
ONE_THREAD = (1, 1, 1, 1, 1, 1)


class TrapFailed(Exception):
    """The kernel could not be launched; the GPU is as it was."""


def trap(library: Any = None) -> int:
    """CUDA's error number after the kernel ran, 0 where it did no harm. Raises TrapFailed. `library`: the driver's."""
    cuda = library or ctypes.CDLL("libcuda.so.1")
    device, context, module, function = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    _done("cuInit", cuda.cuInit(0))
    _done("cuDeviceGet", cuda.cuDeviceGet(ctypes.byref(device), 0))
    # The primary context is the one that onnxruntime uses.
    _done("cuDevicePrimaryCtxRetain", cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device))
    _done("cuCtxSetCurrent", cuda.cuCtxSetCurrent(context))
    _done("cuModuleLoadData", cuda.cuModuleLoadData(ctypes.byref(module), PTX))
    _done("cuModuleGetFunction", cuda.cuModuleGetFunction(ctypes.byref(function), module, b"fail"))
    _done("cuLaunchKernel", cuda.cuLaunchKernel(function, *ONE_THREAD, 0, None, None, None))
    return int(cuda.cuCtxSynchronize())


def _done(call: str, status: int) -> None:
    if status:
        raise TrapFailed(f"{call} gave CUDA error {status}")
