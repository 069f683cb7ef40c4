"""What does onnxruntime say when a GPU fails, and was it the memory? It has no types for that, only long sentences."""

import re

from speech_server.errors import first_line

_REASON = re.compile(
    r"(?:CUDA|CUBLAS|CUDNN|CUFFT) failure.*?(?= ; GPU=|$)|Failed to allocate memory.*|Available memory of.*",
    re.MULTILINE,
)
_GPU = re.compile(r"CUDA|CUBLAS|CUDNN|CUFFT|allocate memory|Available memory")
_NO_MEMORY = re.compile(
    r"Failed to allocate memory|Available memory of \d+ is smaller|out of memory|_ALLOC_FAILED|ErrorMemoryAllocation"
)
"""As onnxruntime's arena, CUDA, cuBLAS and cuDNN say it."""


def reason_of(error: Exception) -> str:
    """Why a call failed, in one line: onnxruntime writes some 500 letters of C++ before what CUDA said."""
    found = _REASON.search(str(error))
    return found[0][:300] if found else first_line(error)


def is_of_gpu(text: str) -> bool:
    """Does this sentence speak of the GPU, and not of the model's files?"""
    return _GPU.search(text) is not None


def is_out_of_memory(error: Exception) -> bool:
    """Did the call fail because the GPU's memory, or its cap, was too small for it? Then a smaller one may work."""
    return _NO_MEMORY.search(str(error)) is not None
