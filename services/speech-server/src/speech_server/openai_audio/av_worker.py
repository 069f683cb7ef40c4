"""The FFmpeg program: `python -m speech_server.openai_audio.av_worker`, a file on standard input, PCM16 out.

Licence notice. This program loads FFmpeg through PyAV, whose wheels bring libraries under the LGPL and the GPL. The
server is another program: it never loads them, and talks to this one only through pipes. PyAV is not part of this
package; the optional extra `av` installs it.
"""

import os
import resource
import sys
from typing import Any

from speech_server.ports import ASR_RATE_HZ

_CPU_S = 600
_MEMORY_BYTES = 2 << 30


def main() -> int:
    """Decode the first audio stream to mono PCM16 at the recogniser's rate; 1 when there is none."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    os.lseek(0, 0, os.SEEK_SET)
    import av

    out = sys.stdout.buffer
    try:
        with open(0, "rb", closefd=False) as file, av.open(file, metadata_errors="ignore") as container:
            resampler = av.AudioResampler("s16", "mono", ASR_RATE_HZ)
            reader: Any = container
            for frame in reader.decode(audio=0):
                for made in resampler.resample(frame):
                    out.write(made.to_ndarray().astype("<i2").tobytes())
            for made in resampler.resample(None):
                out.write(made.to_ndarray().astype("<i2").tobytes())
            out.flush()
    except (av.FFmpegError, IndexError, ValueError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
