"""How does what a client sends become PCM16 at the recogniser's rate?

Chunks may have any length: odd, empty, or cut in the middle of a WAV header. A header is looked for whatever the
request says, because clients send whole files with and without naming their format; where both speak, the header is
right.
"""

from pcm import SAMPLE_BYTES, AudioFormat, Encoding, Resampler, parse_riff

from speech_server.errors import BadRequest
from speech_server.ports import ASR_RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 8_000, 96_000
"""Sample rates that are served, the range of the reference server."""


class AudioIn:
    """One stream's way in. Push bytes in order, then flush."""

    def __init__(self, encoding: Encoding, rate_hz: int | None) -> None:
        """`rate_hz` None: what the header says, else the recogniser's rate."""
        self._said = AudioFormat(encoding, rate_hz or ASR_RATE_HZ)
        self._start: bytes | None = b""
        self._spare = b""
        self._format = self._said
        self._resampler = Resampler(ASR_RATE_HZ, ASR_RATE_HZ)

    def push(self, data: bytes) -> bytes:
        """PCM16 that is ready after `data`. Raises BadRequest for a header of something that isn't served."""
        if self._start is None:
            return self._convert(data)
        self._start += data
        try:
            header = parse_riff(self._start)
        except EOFError:
            return b""
        except ValueError as error:
            raise BadRequest(str(error)) from error
        if header is not None and header.channels > 1:
            raise BadRequest("Only mono audio supported. Mix the channels down or send one of them.")
        return self._begin(header.format if header else self._said, header.audio_offset if header else 0)

    def flush(self) -> bytes:
        """The rest of the stream. Raises BadRequest when it ended inside its header."""
        rest = b""
        if self._start is not None:
            if len(self._start) >= 12:
                raise BadRequest("The audio ends inside its WAV header; send the whole file.")
            rest = self._begin(self._said, 0)
        return rest + self._resampler.flush()

    def _begin(self, heard: AudioFormat, offset: int) -> bytes:
        if not LOWEST_HZ <= heard.rate_hz <= HIGHEST_HZ:
            raise BadRequest(f"The WAV header says {heard.rate_hz} Hz; send {LOWEST_HZ} to {HIGHEST_HZ} Hz.")
        start, self._start = self._start or b"", None
        self._format = heard
        self._resampler = Resampler(heard.rate_hz, ASR_RATE_HZ)
        return self._convert(start[offset:])

    def _convert(self, data: bytes) -> bytes:
        if self._spare:
            data = self._spare + data
        size = self._format.encoding.sample_bytes
        whole = len(data) - len(data) % size
        self._spare = data[whole:] if size == SAMPLE_BYTES else b""
        return self._resampler.push(self._format.decode(data[:whole])) if whole else b""
