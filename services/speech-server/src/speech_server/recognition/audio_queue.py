"""What has arrived and is not yet decoded? A bounded number of seconds; a full intake stops reading the network."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pcm import SAMPLE_BYTES

from speech_server.core.asr.asr_types import ASR_RATE_HZ

PIECE_BYTES = ASR_RATE_HZ // 10 * SAMPLE_BYTES
"""A message is cut into pieces of at most 100 ms, so that progress can be told inside a long one."""


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """PCM16 at the recogniser's rate, its message's time.monotonic(), and whether the utterance ends here."""

    pcm16: bytes
    arrived_at: float
    force_end: bool = False


class AudioQueue:
    """One reader puts, one decoder takes."""

    def __init__(self, most_ahead_s: float) -> None:
        self._most_bytes = int(most_ahead_s * ASR_RATE_HZ) * SAMPLE_BYTES
        self._pieces: deque[AudioPiece] = deque()
        self._waiting_bytes = 0
        self._arrived_bytes = 0
        self._ended = False
        self._error: Exception | None = None
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self.last_arrival = time.monotonic()
        self.is_full = False

    @property
    def arrived_s(self) -> float:
        """Seconds of audio that have arrived since the stream began."""
        return self._arrived_bytes / SAMPLE_BYTES / ASR_RATE_HZ

    @property
    def waiting_s(self) -> float:
        """Seconds of audio that nobody has taken yet."""
        return self._waiting_bytes / SAMPLE_BYTES / ASR_RATE_HZ

    async def put(self, pcm16: bytes, force_end: bool, on_piece: Callable[[], None]) -> None:
        """Append a message's audio, calling `on_piece` after each piece; waits while the intake is full."""
        arrived_at = self.last_arrival = time.monotonic()
        pieces = [pcm16[at : at + PIECE_BYTES] for at in range(0, len(pcm16), PIECE_BYTES)]
        if force_end and not pieces:
            pieces = [b""]
        for number, piece in enumerate(pieces, 1):
            self._pieces.append(AudioPiece(piece, arrived_at, force_end and number == len(pieces)))
            self._waiting_bytes += len(piece)
            self._arrived_bytes += len(piece)
            self._changed.set()
            on_piece()
            await self._wait_for_room()
        self.last_arrival = time.monotonic()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """Nothing more comes, because of this."""
        self._error = error
        self._changed.set()

    async def take(self) -> AudioPiece | None:
        """The oldest piece; after the last one None, or the error that ended it."""
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._ended:
                return None
            self._changed.clear()
            await self._changed.wait()
        piece = self._pieces.popleft()
        self._waiting_bytes -= len(piece.pcm16)
        if self._waiting_bytes < self._most_bytes:
            self._room.set()
        return piece

    async def _wait_for_room(self) -> None:
        while self._waiting_bytes >= self._most_bytes:
            self.is_full = True
            self._room.clear()
            await self._room.wait()
        self.is_full = False
