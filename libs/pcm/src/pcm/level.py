"""How loud is a chunk?"""

import audioop
import math

from pcm.format import SAMPLE_BYTES

FLOOR_DBFS = -96.0
"""Level of digital silence: the dynamic range of 16 bits."""


def dbfs(pcm16: bytes) -> float:
    """RMS level of `pcm16` relative to full scale, FLOOR_DBFS..0 dB."""
    rms = audioop.rms(pcm16, SAMPLE_BYTES) if pcm16 else 0
    return max(FLOOR_DBFS, 20 * math.log10(rms / 32768)) if rms else FLOOR_DBFS
