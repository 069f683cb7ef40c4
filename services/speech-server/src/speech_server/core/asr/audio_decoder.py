"""How does what a client sends become PCM16 at the recogniser's rate?

Chunks may have any length: odd, empty, or cut in the middle of a WAV header. A header is looked for whatever the
request says, because clients send whole files with and without naming their format; where both speak, the header is
right. The same goes for FLAC and Ogg: they are decoded while they arrive, named or not, as are files that follow one
another. A file of another kind is refused by name: taken for samples it would be noise, and an empty transcript.
"""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from pcm import SAMPLE_BYTES, AudioFormat, Encoding, Resampler
from pcm.compressed import FlacStream, OggStream
from pcm.sniffing import Kind, sniff
from pcm.wav_stream import WavStream

from speech_server.core.asr.asr_types import ASR_RATE_HZ
from speech_server.errors import BadRequest

LOWEST_HZ, HIGHEST_HZ = 8_000, 96_000
"""Sample rates that are served, the range of the reference server."""


class Compressed(Enum):
    """Audio that isn't bare samples; the value is what such a stream begins with."""

    FLAC = b"fLaC"
    OGG = b"OggS"


class AudioStream(Protocol):
    """Audio of one kind while it arrives."""

    after: bytes | None
    """What comes behind its end and is audio of its own; None: nothing yet."""

    @property
    def rate_hz(self) -> int:
        """Known with the first audio."""

    def push(self, data: bytes) -> bytes:
        """PCM16 that is ready. Raises ValueError with a sentence."""

    def flush(self) -> bytes:
        """The rest. Raises ValueError for a stream that ends before its audio."""


class AudioDecoder:
    """One stream's way in. Push bytes in order, then flush."""

    def __init__(self, encoding: Encoding | Compressed, rate_hz: int | None) -> None:
        """`rate_hz` None: what the header says, else the recogniser's rate."""
        self._said = encoding
        bare = encoding if isinstance(encoding, Encoding) else Encoding.PCM16
        self._bare = AudioFormat(bare, rate_hz or ASR_RATE_HZ)
        self._start = b""
        """Bytes of which the kind can't be said yet."""
        self._stream: AudioStream | None = None
        self._resampler = Resampler(ASR_RATE_HZ, ASR_RATE_HZ)
        self._rate_hz = ASR_RATE_HZ

    def push(self, data: bytes) -> bytes:
        """PCM16 that is ready after `data`. Raises BadRequest for a header of something that isn't served."""
        return self._decoded(data, whole=False)

    def flush(self) -> bytes:
        """The rest of the stream. Raises BadRequest when it ended inside its header."""
        pcm16 = self._decoded(b"", whole=True)
        while self._stream is not None:
            pcm16 += self._resampled(_told(self._stream.flush))
            if self._stream.after is None:
                break
            behind, self._stream = self._stream.after, None
            pcm16 += self._decoded(behind, whole=True)
        return pcm16 + self._resampler.flush()

    def _decoded(self, data: bytes, whole: bool) -> bytes:
        pcm16 = b""
        while True:
            if self._stream is None:
                data, self._start = self._start + data, b""
                if not data:
                    return pcm16
                try:
                    self._stream = self._opened(sniff(data, whole=whole, text=self._is_linear))
                except EOFError:
                    self._start = data
                    return pcm16
            pcm16 += self._resampled(_told(self._stream.push, data))
            if self._stream.after is None:
                return pcm16
            data, self._stream = self._stream.after, None

    @property
    def _is_linear(self) -> bool:
        return self._bare.encoding is Encoding.PCM16

    def _opened(self, kind: Kind | None) -> AudioStream:
        match kind:
            case Kind.WAV:
                return WavStream()
            case Kind.FLAC:
                return FlacStream()
            case Kind.OGG:
                return OggStream()
            case None if isinstance(self._said, Compressed):
                name = "FLAC" if self._said is Compressed.FLAC else "OGGOPUS"
                raise BadRequest(
                    f"The encoding says {name}, and the audio does not begin like it; send the stream from its header."
                )
            case None:
                return _Bare(self._bare)
            case _ if kind.is_audio:
                raise BadRequest(
                    f"The audio is {kind.value}, which can't be decoded while it arrives; send samples, WAV, FLAC or "
                    "Ogg Opus, or the whole file to Recognize."
                )
        raise BadRequest(f"The audio begins like {kind.value}, which is no audio; send samples, WAV, FLAC or Ogg Opus.")

    def _resampled(self, pcm16: bytes) -> bytes:
        stream = self._stream
        if isinstance(stream, WavStream) and stream.header is not None and stream.header.channels > 1:
            raise BadRequest("Only mono audio supported. Mix the channels down or send one of them.")
        if stream is not None and stream.rate_hz and not LOWEST_HZ <= stream.rate_hz <= HIGHEST_HZ:
            raise BadRequest(f"The audio's header says {stream.rate_hz} Hz; send {LOWEST_HZ} to {HIGHEST_HZ} Hz.")
        if not pcm16 or stream is None:
            return b""
        before = b""
        if stream.rate_hz != self._rate_hz:
            before = self._resampler.flush()
            self._rate_hz = stream.rate_hz
            self._resampler = Resampler(stream.rate_hz, ASR_RATE_HZ)
        return before + self._resampler.push(pcm16)


class _Bare:
    """Samples without a header."""

    after: bytes | None = None

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._rest = b""

    @property
    def rate_hz(self) -> int:
        return self._format.rate_hz

    def push(self, data: bytes) -> bytes:
        if self._rest:
            data = self._rest + data
        size = self._format.encoding.sample_bytes
        whole = len(data) - len(data) % size
        self._rest = data[whole:] if size == SAMPLE_BYTES else b""
        return self._format.decode(data[:whole]) if whole else b""

    def flush(self) -> bytes:
        return b""


def _told(step: Callable[..., bytes], *data: bytes) -> bytes:
    try:
        return step(*data)
    except ValueError as error:
        raise BadRequest(str(error)) from error
