"""Where does audio wait for the recogniser, or for being needed again? In a bounded buffer of PCM16."""

from collections import deque

from voice_gateway.core.events import INPUT_RATE_HZ

BYTES_PER_S = INPUT_RATE_HZ * 2


class AudioBuffer:
    """PCM16 at the input rate, at most `limit_s` of it: the oldest goes first."""

    def __init__(self, limit_s: float) -> None:
        self._limit_bytes = int(limit_s * BYTES_PER_S)
        self._pieces: deque[bytes] = deque()
        self._bytes = 0

    @property
    def seconds(self) -> float:
        return self._bytes / BYTES_PER_S

    def append(self, pcm16: bytes) -> None:
        self._pieces.append(pcm16)
        self._bytes += len(pcm16)
        while self._bytes > self._limit_bytes and len(self._pieces) > 1:
            self._bytes -= len(self._pieces.popleft())

    def prepend(self, pcm16: bytes) -> None:
        self._pieces.appendleft(pcm16)
        self._bytes += len(pcm16)

    def trim(self, keep_s: float) -> None:
        while self._pieces and self._bytes - len(self._pieces[0]) > keep_s * BYTES_PER_S:
            self._bytes -= len(self._pieces.popleft())

    def peek(self) -> bytes:
        return b"".join(self._pieces)

    def take(self) -> bytes:
        audio = self.peek()
        self._pieces.clear()
        self._bytes = 0
        return audio
