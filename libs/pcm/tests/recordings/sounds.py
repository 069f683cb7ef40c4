"""The same sound in every kind of file, made on the spot."""

import audioop
import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 16_000
Samples = npt.NDArray[np.float64]


def tone(seconds: float = 1.0, rate_hz: int = RATE_HZ, peak: float = 0.3) -> Samples:
    """A sine of 220 Hz, full scale 1."""
    wave: Samples = peak * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate_hz)) / rate_hz)
    return wave


def file_of(samples: npt.NDArray[Any], kind: str, subtype: str, rate_hz: int = RATE_HZ, **options: Any) -> bytes:
    """As libsndfile writes it."""
    made = io.BytesIO()
    soundfile.write(made, samples, rate_hz, format=kind, subtype=subtype, **options)
    return made.getvalue()


def wav_of(
    data: bytes,
    tag: int,
    bits: int,
    *,
    channels: int = 1,
    valid_bits: int | None = None,
    big_endian: bool = False,
    extra: bytes = b"",
) -> bytes:
    """By hand: WAVE_FORMAT_EXTENSIBLE where `valid_bits` are given, RIFX where it is big-endian, chunks in `extra`."""
    order = ">" if big_endian else "<"
    frame = channels * bits // 8
    head = struct.pack(order + "IHH", RATE_HZ * frame, frame, bits)
    if valid_bits is None:
        form = struct.pack(order + "HHI", tag, channels, RATE_HZ) + head
    else:
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        form = struct.pack("<HHI", 0xFFFE, channels, RATE_HZ) + head + struct.pack("<HHI", 22, valid_bits, 0) + guid
    body = b"WAVEfmt " + struct.pack(order + "I", len(form)) + form
    body += b"data" + struct.pack(order + "I", len(data)) + data + bytes(len(data) % 2) + extra
    return (b"RIFX" if big_endian else b"RIFF") + struct.pack(order + "I", len(body)) + body


def with_sizes(wav: bytes, data_bytes: int, riff_bytes: int | None = None) -> bytes:
    """The file with other sizes in its header."""
    at = wav.index(b"data") + 4
    mended = wav[:at] + struct.pack("<I", data_bytes) + wav[at + 4 :]
    return mended if riff_bytes is None else mended[:4] + struct.pack("<I", riff_bytes) + mended[8:]


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk behind the audio."""
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def pcm16(samples: Samples) -> bytes:
    """Rounded and clipped."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


TONE = tone()
WAVS: dict[str, bytes] = {
    **{f"wav {sub}": file_of(TONE, "WAV", sub) for sub in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")},
    **{f"extensible {sub}": file_of(TONE, "WAVEX", sub) for sub in ("PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW")},
    **{f"RF64 {sub}": file_of(TONE, "RF64", sub) for sub in ("PCM_16", "FLOAT")},
    "wav u-law": wav_of(audioop.lin2ulaw(pcm16(TONE), 2), 7, 8),
    "wav a-law": wav_of(audioop.lin2alaw(pcm16(TONE), 2), 6, 8),
    "24 bits in 32": wav_of(((TONE * 2**23).astype("<i4") << 8).astype("<i4").tobytes(), 1, 32, valid_bits=24),
    "20 bits in 24": wav_of(file_of(TONE, "WAV", "PCM_24")[44:], 1, 24, valid_bits=20),
    "RIFX 16": wav_of((TONE * 32767).astype(">i2").tobytes(), 1, 16, big_endian=True),
    "RIFX float": wav_of(TONE.astype(">f4").tobytes(), 3, 32, big_endian=True),
    "size 0": with_sizes(file_of(TONE, "WAV", "PCM_16"), 0),
    "sizes 0": with_sizes(file_of(TONE, "WAV", "PCM_16"), 0, 0),
    "float of size 0": with_sizes(file_of(TONE, "WAV", "FLOAT"), 0, 0),
    "sizes -1": with_sizes(file_of(TONE, "WAV", "PCM_16"), 0xFFFFFFFF, 0xFFFFFFFF),
    "size too large": with_sizes(file_of(TONE, "WAV", "PCM_24"), 123_456_789),
    "size of 2 GiB": with_sizes(file_of(TONE, "WAV", "PCM_16"), 0x7FFFFFFF, 0),
    "chunks behind": wav_of(
        pcm16(TONE), 1, 16, extra=chunk(b"LIST", b"INFO" + b"x" * 30_001) + chunk(b"id3 ", b"y" * 999)
    ),
    "odd size": with_sizes(wav_of(pcm16(TONE) + b"\x00\x00", 1, 16, extra=chunk(b"LIST", b"INFO")), 32_001),
    "junk behind": wav_of(pcm16(TONE), 1, 16, extra=b"\xff\x00\x13 junk" * 999),
}
"""One second of TONE each, in WAV files that are read while they arrive, too."""
FILES: dict[str, bytes] = {
    **WAVS,
    **{f"AIFF {sub}": file_of(TONE, "AIFF", sub) for sub in ("PCM_S8", "PCM_16", "PCM_24", "FLOAT", "ULAW")},
    **{f"{kind} {sub}": file_of(TONE, kind, sub) for kind in ("W64", "CAF", "AU") for sub in ("PCM_16", "FLOAT")},
    "CAF ALAC": file_of(TONE, "CAF", "ALAC_16"),
    "IMA ADPCM": file_of(TONE, "WAV", "IMA_ADPCM"),
    "MS ADPCM of size 0": with_sizes(file_of(TONE, "WAV", "MS_ADPCM"), 0),
    "FLAC 24": file_of(TONE, "FLAC", "PCM_24"),
    "six channels": file_of(np.repeat(TONE[:, None], 6, axis=1), "WAV", "FLOAT"),
}
"""One second of TONE each."""
