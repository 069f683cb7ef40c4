"""How does a WAV file that is still arriving become PCM16? What stands behind its audio is passed over."""

import struct

from pcm.riff import CHUNKS, RIFF_KINDS, WavHeader, parse_wav
from pcm.sniffing import sniff

_CHUNK_BYTES = 8


class WavStream:
    """A WAV file as it arrives. `push` its bytes in order, then `flush`; `header` is known with the first audio."""

    def __init__(self) -> None:
        self.header: WavHeader | None = None
        self.after: bytes | None = None
        """What comes behind this file and is another one; None: nothing yet."""
        self._waiting = b""
        self._left: int | None = None
        self._skip: int | None = None
        """Bytes to leave out before what may be the next chunk; None: the audio is not over."""
        self._pad = 0
        """1: a byte that makes an odd size even follows, unless the writer forgot it."""

    @property
    def rate_hz(self) -> int:
        """0 before the header is whole."""
        return self.header.rate_hz if self.header is not None else 0

    def push(self, data: bytes) -> bytes:
        """PCM16 of the frames that are whole now. Raises ValueError with a sentence."""
        self._waiting += data
        if self.header is None and not self._begin():
            return b""
        pcm16 = self._audio() if self._skip is None else b""
        if self._skip is not None:
            self._pass_over(whole=False)
        return pcm16

    def flush(self) -> bytes:
        """Nothing: half a frame can't be heard. Raises ValueError when the stream ended inside its header."""
        if self.header is None:
            raise ValueError("The audio ends inside its WAV header; send the whole file")
        if self._skip is not None:
            self._pass_over(whole=True)
        return b""

    def _begin(self) -> bool:
        try:
            header = parse_wav(self._waiting)
        except EOFError:
            return False
        if header.zero and len(self._waiting) < header.audio_offset + 4:
            return False
        if header.samples is None:
            raise ValueError(f"WAV of {header.codec} can't be heard while it arrives; send PCM, float, u-law or A-law")
        self.header = header
        self._waiting = self._waiting[header.audio_offset :]
        self._left = header.audio_bytes
        if header.zero and self._waiting[:4] in CHUNKS:
            self._left = 0
        if self._left == 0:
            self._skip = 0
        return True

    def _audio(self) -> bytes:
        assert self.header is not None
        assert self.header.samples is not None
        frame = self.header.samples.size * self.header.channels
        there = len(self._waiting) if self._left is None else min(len(self._waiting), self._left)
        whole = there - there % frame
        audio, self._waiting = self._waiting[:whole], self._waiting[whole:]
        if self._left is not None:
            self._left -= whole
            if self._left < frame:
                self._skip, self._pad = self._left, (self.header.audio_bytes or 0) % 2
        return self.header.samples.mono(audio, self.header.channels)

    def _pass_over(self, *, whole: bool) -> None:
        """Chunks behind the audio, until another file begins."""
        while self.after is None and self._skip is not None:
            gone = min(self._skip, len(self._waiting))
            self._waiting, self._skip = self._waiting[gone:], self._skip - gone
            if self._skip or not self._waiting:
                return
            if self._pad:
                if len(self._waiting) < 4 and not whole:
                    return
                forgotten = self._waiting[:4] in CHUNKS or self._waiting[:4] in RIFF_KINDS
                self._skip, self._pad = 0 if forgotten else self._pad, 0
                continue
            try:
                kind = sniff(self._waiting, whole=whole, text=False)
            except EOFError:
                return
            if kind is not None and kind.is_audio:
                self.after = self._waiting
            elif len(self._waiting) < _CHUNK_BYTES:
                return
            elif self._waiting[:4].isascii() and self._waiting[:4] not in RIFF_KINDS:
                self._skip = self._chunk_bytes()
            else:
                self._skip = 1 << 62  # no chunk: whatever it is, it is no audio of this file

    def _chunk_bytes(self) -> int:
        big = self.header is not None and self.header.samples is not None and self.header.samples.big_endian
        size: int = struct.unpack_from(">I" if big else "<I", self._waiting, 4)[0]
        return _CHUNK_BYTES + size + size % 2
