"""How does what a client sends become PCM16 at the recogniser's rate?

Chunks may have any length: odd, empty, or cut in the middle of a WAV header. A header is looked for whatever the
request says, because clients send whole files with and without naming their format; where both speak, the header is
right. The same goes for FLAC and Ogg Opus: they are decoded while they arrive, named or not.
"""

from enum import Enum

from pcm import SAMPLE_BYTES, AudioFormat, Encoding, Resampler, parse_riff
from pcm.compressed import FlacStream, OggStream

from speech_server.errors import BadRequest
from speech_server.ports import ASR_RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 8_000, 96_000
"""Sample rates that are served, the range of the reference server."""


class Compressed(Enum):
    """Audio that isn't bare samples; the value is what such a stream begins with."""

    FLAC = b"fLaC"
    OGG = b"OggS"


class AudioIn:
    """One stream's way in. Push bytes in order, then flush."""

    def __init__(self, encoding: Encoding | Compressed, rate_hz: int | None) -> None:
        """`rate_hz` None: what the header says, else the recogniser's rate."""
        bare = encoding if isinstance(encoding, Encoding) else Encoding.PCM16
        self._said = AudioFormat(bare, rate_hz or ASR_RATE_HZ)
        self._must_be = encoding if isinstance(encoding, Compressed) else None
        self._start: bytes | None = b""
        self._spare = b""
        self._format = self._said
        self._resampler = Resampler(ASR_RATE_HZ, ASR_RATE_HZ)
        self._unpacker: Unpacker | None = None

    def push(self, data: bytes) -> bytes:
        """PCM16 that is ready after `data`. Raises BadRequest for a header of something that isn't served."""
        if self._unpacker is not None:
            return self._unpacker.push(data)
        if self._start is None:
            return self._convert(data)
        self._start += data
        if self._may_be_compressed(self._start):
            return self._begin_compressed(self._start)
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
        if self._unpacker is not None:
            return self._unpacker.flush()
        rest = b""
        if self._start is not None:
            if self._must_be is not None and self._start:
                raise BadRequest(_not_what_was_said(self._must_be))
            if len(self._start) >= 12:
                raise BadRequest("The audio ends inside its WAV header; send the whole file.")
            rest = self._begin(self._said, 0)
        return rest + self._resampler.flush()

    def _may_be_compressed(self, start: bytes) -> bool:
        """Is it compressed, or may it still become that? Raises BadRequest when it was said to be, and isn't."""
        known = [kind for kind in Compressed if kind.value.startswith(start[:4]) and start]
        if self._must_be is not None and start and self._must_be not in known:
            raise BadRequest(_not_what_was_said(self._must_be))
        return bool(known)

    def _begin_compressed(self, start: bytes) -> bytes:
        if len(start) < 4:
            return b""
        self._unpacker = Unpacker(Compressed(start[:4]))
        return self._unpacker.push(start)

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


class Unpacker:
    """Compressed audio to PCM16 at the recogniser's rate, while it arrives."""

    def __init__(self, kind: Compressed) -> None:
        self._stream = FlacStream() if kind is Compressed.FLAC else OggStream()
        self._resampler: Resampler | None = None

    def push(self, data: bytes) -> bytes:
        """PCM16 that is ready. Raises BadRequest for a broken stream."""
        return self._resampled(self._decode(data))

    def flush(self) -> bytes:
        """The rest. Raises BadRequest for a stream that ends before its audio."""
        rest = self._resampled(self._decode(None))
        return rest + (self._resampler.flush() if self._resampler is not None else b"")

    def _decode(self, data: bytes | None) -> bytes:
        try:
            return self._stream.flush() if data is None else self._stream.push(data)
        except ValueError as error:
            raise BadRequest(str(error)) from error

    def _resampled(self, pcm16: bytes) -> bytes:
        if not pcm16:
            return b""
        if self._resampler is None:
            rate_hz = self._stream.rate_hz
            if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
                raise BadRequest(f"The audio's header says {rate_hz} Hz; send {LOWEST_HZ} to {HIGHEST_HZ} Hz.")
            self._resampler = Resampler(rate_hz, ASR_RATE_HZ)
        return self._resampler.push(pcm16)


def _not_what_was_said(kind: Compressed) -> str:
    name = "FLAC" if kind is Compressed.FLAC else "OGGOPUS"
    return f"The encoding says {name}, and the audio does not begin like it; send the stream from its header on."
