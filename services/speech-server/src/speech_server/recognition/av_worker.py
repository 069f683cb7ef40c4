"""The FFmpeg program: `python -m speech_server.recognition.av_worker START END`, a file on standard input, PCM16 out.

Licence notice. This program loads FFmpeg through PyAV, whose wheels bring libraries under the LGPL and the GPL. The
server is another program: it never loads them, and talks to this one only through pipes. PyAV is not part of this
package; the optional extra `av` installs it.
"""

import os
import resource
import sys
from typing import Any

from speech_server.core.asr.asr_types import ASR_RATE_HZ

_CPU_S = 600
_MEMORY_BYTES = 2 << 30
_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,ogg,"
    "rm,tta,w64,wav,wv"
)
"""Containers that hold their own audio. Playlists are not among them: they would make FFmpeg open other files."""


class FileWindow:
    """Bytes `start` to `end` of standard input, as FFmpeg reads a file."""

    def __init__(self, start: int, end: int) -> None:
        self._start = start
        self._length = end - start
        self._at = 0

    def read(self, size: int) -> bytes:
        """As files do."""
        data = os.pread(0, max(0, min(size, self._length - self._at)), self._start + self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """As files do."""
        return self._at


def main(start: int, end: int) -> int:
    """Decode the first audio stream to mono PCM16 at the recogniser's rate; 1 when there is none."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    import av

    out = sys.stdout.buffer
    signal: tuple[object, ...] | None = None
    resampler: Any = None
    try:
        options = {"format_whitelist": _FORMATS}
        with av.open(FileWindow(start, end), metadata_errors="ignore", options=options) as container:
            reader: Any = container
            for frame in reader.decode(audio=0):
                here = (frame.format.name, frame.layout.name, frame.sample_rate)
                if here != signal:  # a stream may change on its way
                    _write(out, resampler.resample(None) if resampler is not None else ())
                    resampler, signal = av.AudioResampler("s16", "mono", ASR_RATE_HZ), here
                _write(out, resampler.resample(frame))
            _write(out, resampler.resample(None) if resampler is not None else ())
            out.flush()
    except (av.FFmpegError, IndexError, ValueError):
        return 1
    return 0


def _write(out: Any, frames: Any) -> None:
    for made in frames:
        out.write(made.to_ndarray().astype("<i2").tobytes())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
