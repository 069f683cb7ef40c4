"""How do decoded samples of any scale and number of channels become mono PCM16?"""

from typing import Any

import numpy as np
import numpy.typing as npt

FULL_SCALE = 32768


def mono_pcm16(block: npt.NDArray[np.floating[Any]]) -> bytes:
    """PCM16 of samples [n, channels] where full scale is 1.0: the channels' mean, clipped, never wrapped.

    What is not a number is silence, what is infinite is full scale: one broken sample must not spoil a recording.
    """
    if not block.size:
        return b""
    finite = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
    mono = finite[:, 0] if finite.shape[1] == 1 else np.clip(finite, -4.0, 4.0).mean(axis=1)
    scaled = np.rint(np.clip(mono, -1.0, 1.0) * FULL_SCALE)
    return bytes(np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes())
