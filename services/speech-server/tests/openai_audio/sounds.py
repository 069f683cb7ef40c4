"""Recordings made on the spot, and forms that carry them."""

import io
from typing import Any

import aiohttp
import numpy as np
import soundfile

RATE_HZ = 16_000


def hum(seconds: float, rate_hz: int = RATE_HZ) -> bytes:
    """Loud audio: speech for a detector that goes by energy."""
    return (9000 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate_hz)) / rate_hz)).astype("<i2").tobytes()


def hush(seconds: float, rate_hz: int = RATE_HZ) -> bytes:
    """Digital silence."""
    return bytes(2 * round(seconds * rate_hz))


def two_utterances(rate_hz: int = RATE_HZ) -> bytes:
    """Three seconds with two of them."""
    return (hum(1, rate_hz) + hush(0.5, rate_hz)) * 2


def file_of(
    pcm16: bytes, rate_hz: int = RATE_HZ, kind: str = "WAV", subtype: str = "PCM_16", channels: int = 1
) -> bytes:
    """A whole audio file."""
    made = io.BytesIO()
    samples = np.repeat(np.frombuffer(pcm16, "<i2")[:, None], channels, axis=1)
    soundfile.write(made, samples, rate_hz, format=kind, subtype=subtype)
    return made.getvalue()


def form(file: bytes | None, name: str = "a.wav", **fields: Any) -> aiohttp.FormData:
    """A transcription request; `_` at the end of a name means `[]`."""
    made = aiohttp.FormData(default_to_multipart=True)
    if file is not None:
        made.add_field("file", io.BytesIO(file), filename=name)
    for key, value in {"model": "whisper-1", **fields}.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                made.add_field(key.removesuffix("_") + ("[]" if key.endswith("_") else ""), one)
    return made
