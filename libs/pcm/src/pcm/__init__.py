"""PCM audio for every service: what a sample is, how long a chunk lasts, and how to change its form.

Inside the house audio is PCM16: signed 16-bit little-endian mono samples in `bytes`.
"""

from pcm.format import SAMPLE_BYTES, AudioFormat, Encoding, duration_s, samples, silence
from pcm.framing import Framer
from pcm.level import dbfs
from pcm.resampling import Resampler
from pcm.riff import RiffHeader, parse_riff
from pcm.wav import Clip, read_wav, write_wav

__all__ = [
    "SAMPLE_BYTES",
    "AudioFormat",
    "Clip",
    "Encoding",
    "Framer",
    "Resampler",
    "RiffHeader",
    "dbfs",
    "duration_s",
    "parse_riff",
    "read_wav",
    "samples",
    "silence",
    "write_wav",
]
