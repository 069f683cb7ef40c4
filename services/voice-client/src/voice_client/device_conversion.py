"""How does a device that has another rate, or two channels only, take part in a call? Its blocks are converted.

Used in the device's threads, one converter in each.
"""

from collections.abc import Iterator

import numpy as np
from pcm import SAMPLE_BYTES, Framer, Resampler

from voice_client.interfaces import FillPlayback

FRAME_S = 0.02


class InputConversion:
    """Blocks of a microphone become mono frames of 20 ms at the call's rate."""

    def __init__(self, device_hz: int, channels: int, call_hz: int) -> None:
        self._channels = channels
        self._resampler = Resampler(device_hz, call_hz)
        self._framer = Framer(round(call_hz * FRAME_S) * SAMPLE_BYTES)

    def frames(self, block: bytes) -> Iterator[bytes]:
        """The frames that are whole after `block`."""
        if self._channels > 1:
            mixed = np.frombuffer(block, "<i2").reshape(-1, self._channels).mean(axis=1)
            block = mixed.astype("<i2").tobytes()
        yield from self._framer.push(self._resampler.push(block))


class OutputConversion:
    """Mono samples at the call's rate become blocks of a loudspeaker."""

    def __init__(self, device_hz: int, channels: int, call_hz: int) -> None:
        self._channels = channels
        self._call_frame = round(call_hz * FRAME_S)
        self._resampler = Resampler(call_hz, device_hz)
        self._is_same_rate = device_hz == call_hz
        self._ready = bytearray()

    def block(self, count: int, delay_s: float, fill: FillPlayback) -> bytes:
        """`count` samples of each channel; the first of them sounds in `delay_s`."""
        if self._is_same_rate:
            return self._spread(fill(count, delay_s))
        while len(self._ready) < count * SAMPLE_BYTES:
            self._ready += self._resampler.push(fill(self._call_frame, delay_s))
        block = bytes(self._ready[: count * SAMPLE_BYTES])
        del self._ready[: count * SAMPLE_BYTES]
        return self._spread(block)

    def _spread(self, mono: bytes) -> bytes:
        if self._channels == 1:
            return mono
        return np.repeat(np.frombuffer(mono, "<i2"), self._channels).tobytes()
