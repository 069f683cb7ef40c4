"""What is a sample? Encodings, sample counts and durations."""

import audioop
from dataclasses import dataclass
from enum import Enum

SAMPLE_BYTES = 2
"""Bytes of one PCM16 sample."""


class Encoding(Enum):
    """How samples are written on a wire; the value is the name users know."""

    PCM16 = "pcm16"
    MULAW = "mulaw"
    ALAW = "alaw"

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample on the wire."""
        return SAMPLE_BYTES if self is Encoding.PCM16 else 1


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One mono stream on a wire: `rate_hz` samples a second in `encoding`."""

    encoding: Encoding
    rate_hz: int

    def decode(self, data: bytes) -> bytes:
        """Wire bytes (whole samples) to PCM16 at the same rate."""
        if self.encoding is Encoding.MULAW:
            return audioop.ulaw2lin(data, SAMPLE_BYTES)
        if self.encoding is Encoding.ALAW:
            return audioop.alaw2lin(data, SAMPLE_BYTES)
        return data

    def encode(self, pcm16: bytes) -> bytes:
        """PCM16 at this rate to wire bytes."""
        if self.encoding is Encoding.MULAW:
            return audioop.lin2ulaw(pcm16, SAMPLE_BYTES)
        if self.encoding is Encoding.ALAW:
            return audioop.lin2alaw(pcm16, SAMPLE_BYTES)
        return pcm16


def samples(pcm16: bytes) -> int:
    """How many PCM16 samples `pcm16` holds."""
    return len(pcm16) // SAMPLE_BYTES


def duration_s(pcm16: bytes, rate_hz: int) -> float:
    """How many seconds `pcm16` lasts at `rate_hz`."""
    return samples(pcm16) / rate_hz


def silence(seconds: float, rate_hz: int) -> bytes:
    """Digital silence of `seconds` at `rate_hz`."""
    return bytes(round(seconds * rate_hz) * SAMPLE_BYTES)
