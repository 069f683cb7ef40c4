"""How does a stream of any chunk sizes become frames of one size?"""


class Framer:
    """Cuts a byte stream into frames of `frame_bytes`, keeping what is left over, odd bytes too."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._rest = b""

    def push(self, data: bytes) -> list[bytes]:
        """Every frame that is now complete, oldest first."""
        buffer = self._rest + data
        size = self._frame_bytes
        end = len(buffer) - len(buffer) % size
        self._rest = buffer[end:]
        return [buffer[start : start + size] for start in range(0, end, size)]

    def flush(self) -> bytes:
        """What is left over, shorter than a frame; the framer is empty afterwards."""
        rest, self._rest = self._rest, b""
        return rest
