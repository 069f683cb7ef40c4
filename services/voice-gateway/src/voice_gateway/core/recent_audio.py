"""What did the caller's audio sound like until now? The last seconds of it, from any sample on."""

from collections import deque


class RecentAudio:
    """PCM16 of one call, no more than `seconds` of it, in the pieces in which it came."""

    def __init__(self, seconds: float, rate_hz: int) -> None:
        self._most = round(seconds * rate_hz)
        self._pieces: deque[bytes] = deque()
        self._held = 0
        """Samples in the pieces."""
        self.samples = 0
        """All that ever came."""

    def append(self, pcm16: bytes) -> None:
        """More audio; what is older than the bound, but for a part of a piece, is let go."""
        self._pieces.append(pcm16)
        self._held += len(pcm16) // 2
        self.samples += len(pcm16) // 2
        while self._pieces and self._held - len(self._pieces[0]) // 2 >= self._most:
            self._held -= len(self._pieces.popleft()) // 2

    def since(self, sample: int) -> bytes:
        """What came from that input sample on, as far as it is still held."""
        missing = max(sample - (self.samples - self._held), self._held - self._most, 0)
        return b"".join(self._pieces)[2 * missing :]
