"""How do a client's bytes become a session's audio? Samples of either encoding and any rate, however they are cut."""

import numpy as np
from pcm import Resampler

from voice_gateway.core.events import INPUT_RATE_HZ
from voice_gateway.edges.held_transcription import TranscriptionRequest
from voice_gateway.errors import BadRequest

_FULL_SCALE = 32_767


class ClientAudio:
    """One stream's. A sample may be cut in two by the end of a message."""

    def __init__(self, request: TranscriptionRequest, max_audio_s: float) -> None:
        self._is_float = request.is_float
        self._sample_bytes = 4 if request.is_float else 2
        self._rate_hz = request.input.rate_hz
        self._max_audio_s = max_audio_s
        self._resampler = Resampler(self._rate_hz, INPUT_RATE_HZ)
        self._rest = b""

    @property
    def rest_bytes(self) -> int:
        """Bytes of a sample that is not whole yet."""
        return len(self._rest)

    def length_s(self, data: bytes) -> float:
        """Seconds of audio in so many bytes."""
        return len(data) / self._sample_bytes / self._rate_hz

    def take(self, data: bytes) -> bytes:
        """PCM16 at INPUT_RATE_HZ. Raises BadRequest; `data` is then dropped."""
        if self.length_s(data) > self._max_audio_s:
            raise BadRequest(
                f"a message of {len(data)} bytes holds {self.length_s(data):.1f} s of audio, and was dropped; send at "
                f"most {self._max_audio_s:g} s at a time, 20 to 200 ms for a live stream"
            )
        data = self._rest + data
        whole = len(data) - len(data) % self._sample_bytes
        self._rest = data[whole:]
        return self._resampler.push(self._pcm16(data[:whole]))

    def flush(self) -> bytes:
        """What is left at the end."""
        return self._resampler.flush()

    def _pcm16(self, data: bytes) -> bytes:
        if not self._is_float:
            return data
        numbers = np.nan_to_num(np.frombuffer(data, "<f4"), nan=0.0, posinf=1.0, neginf=-1.0)
        return bytes(np.rint(np.clip(numbers, -1.0, 1.0) * _FULL_SCALE).astype("<i2").tobytes())
