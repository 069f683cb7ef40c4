"""How does what a voice sends become bare PCM16? WAV headers go, halves of samples wait, another rate is resampled.

Riva's contract is headerless PCM at the asked rate; servers behind its protocol send WAV all the same: a header at the
start, or one for each piece, with true, empty or endless sizes, cut anywhere by messages.
"""

import struct
from math import inf

from pcm import AudioFormat, Encoding, Resampler
from pcm.riff import RiffHeader, parse_riff

from voice_gateway.errors import Broken

_STREAMED_BYTES = 0x7FFF_F000
"""From here on a size means that nobody knew it when the header was written; so does 0."""
_TRAILERS = (b"LIST", b"fact", b"cue ", b"id3 ", b"ID3 ", b"bext", b"smpl", b"JUNK", b"PEAK")
"""Chunks that may follow the audio. What else follows is taken for more audio: sizes are often wrong."""


class PcmStream:
    """The audio of one call to a voice, from its first byte to `flush`. Both raise Broken."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._held = b""
        """What can't be told or played yet: part of a header, half a sample."""
        self._in_audio = False
        self._began = False
        self._left_bytes = inf
        """Of the chunk of audio."""
        self._dropping_bytes = 0
        self._use(AudioFormat(Encoding.PCM16, rate_hz))

    def push(self, data: bytes) -> bytes:
        """Whole samples that are ready after `data`."""
        if data[:4] == b"RIFF" and data[8:12] == b"WAVE" and self._in_audio:
            self._in_audio, self._held = False, b""  # another file begins
        self._held += data
        ready = []
        while self._held:
            before = len(self._held)
            if self._dropping_bytes:
                self._drop()
            elif self._in_audio:
                ready.append(self._take())
            else:
                self._look_for_audio()
            if not self._in_audio and len(self._held) == before:
                break
            if self._in_audio and len(self._held) < self._format.encoding.sample_bytes:
                break
        return b"".join(ready)

    def flush(self) -> bytes:
        """What is left when the call is over."""
        rest = b""
        if self._held and not self._in_audio and not self._held.startswith(b"RIFF"):
            self._in_audio = True  # too short for a header
            rest = self._take()
        return rest + self._resampler.flush()

    def _take(self) -> bytes:
        size = int(min(len(self._held), self._left_bytes))
        size -= size % self._format.encoding.sample_bytes
        audio, self._held = self._held[:size], self._held[size:]
        self._left_bytes -= size
        self._in_audio = self._left_bytes >= self._format.encoding.sample_bytes
        return self._resampler.push(self._format.decode(audio))

    def _look_for_audio(self) -> None:
        """Past a header or a chunk, if it is whole."""
        if self._began and self._held[:4] in _TRAILERS:
            if len(self._held) >= 8:
                size = struct.unpack_from("<I", self._held, 4)[0]
                self._dropping_bytes = 8 + size + size % 2
            return
        if self._began and len(self._held) < 4 and any(name.startswith(self._held) for name in _TRAILERS):
            return
        try:
            header = parse_riff(self._held)
        except EOFError:
            return
        except ValueError as error:
            raise Broken("tts", f"speech synthesis sends audio that can't be used: {error}", retryable=False) from None
        self._begin(header)

    def _begin(self, header: RiffHeader | None) -> None:
        self._began, self._in_audio, self._left_bytes = True, True, inf
        if header is None:
            return
        if header.channels != 1:
            raise Broken(
                "tts", f"speech synthesis sends {header.channels} channels; set it up to send mono", retryable=False
            )
        size = struct.unpack_from("<I", self._held, header.audio_offset - 4)[0]
        self._left_bytes = size if 0 < size < _STREAMED_BYTES else inf
        self._held = self._held[header.audio_offset :]
        if header.format != self._format:
            self._use(header.format)

    def _drop(self) -> None:
        size = min(self._dropping_bytes, len(self._held))
        self._held = self._held[size:]
        self._dropping_bytes -= size

    def _use(self, format: AudioFormat) -> None:
        self._format = format
        self._resampler = Resampler(format.rate_hz, self._rate_hz)
