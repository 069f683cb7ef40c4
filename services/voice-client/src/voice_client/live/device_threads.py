"""Where do a device's two threads meet the event loop? Here, and nowhere else.

microphone thread ──add───▶ bounded queue ──frame──▶ event loop
loudspeaker thread ──fill──▶ Playout under a lock ◀── events      (event loop)
                     └─ what it plays, in a bounded list ──▶ event loop
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from voice_client.events import Event
from voice_client.playout import Playout, Report

FRAMES_WAITING = 50
"""One second of 20 ms frames. When full the newest frame is dropped: the loop is stuck, and old speech comes first."""
BLOCKS_WAITING = 100
"""Blocks that were played and that the loop has not looked at; when full the oldest is dropped."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class PlayedBlock:
    """What the loudspeaker was given: its first sample sounds at `at`, `heard_bytes` of it are of a reply."""

    pcm16: bytes
    at: float
    heard_bytes: int


class Speaker:
    """A Playout shared by the loop and the loudspeaker's thread; both hold the lock for microseconds."""

    def __init__(self, playout: Playout, clock: Clock = time.monotonic) -> None:
        self._playout = playout
        self._clock = clock
        self._lock = threading.Lock()
        self._played: deque[PlayedBlock] = deque(maxlen=BLOCKS_WAITING)
        self.last_fill_at = clock()

    def take(self, event: Event) -> None:
        """From the loop: an event of the call."""
        with self._lock:
            self._playout.take(event)

    def fill(self, count: int, delay_s: float) -> bytes:
        """From the loudspeaker's thread: the samples it is about to write."""
        with self._lock:
            self.last_fill_at = self._clock()
            at = self.last_fill_at + delay_s
            played = self._playout.play(count, at)
            self._played.append(PlayedBlock(played.pcm16, at, played.heard_bytes))
            return played.pcm16

    def played(self) -> list[PlayedBlock]:
        """From the loop: what was written since the last time."""
        with self._lock:
            blocks = list(self._played)
            self._played.clear()
            return blocks

    def reports(self, now: float, input_sample: int) -> list[Report]:
        """From the loop: what was really written, for the gateway."""
        with self._lock:
            return self._playout.reports(now, input_sample)

    def progress(self) -> tuple[int, float] | None:
        """From the loop: (reply, seconds of it played) of the reply that plays."""
        with self._lock:
            progress = self._playout.progress
        return None if progress is None else (progress[0], progress[1] / self._playout.rate_hz)


class Microphone:
    """Frames on their way from the device's thread to the loop, never more than FRAMES_WAITING."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock = time.monotonic) -> None:
        self._loop = loop
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = 0
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(FRAMES_WAITING)
        self.dropped = 0
        self.last_frame_at = clock()

    def add(self, pcm16: bytes) -> None:
        """From the device's thread."""
        # Counted here and not in the loop, so that call_soon_threadsafe can't pile up while the loop is stuck.
        with self._lock:
            self.last_frame_at = self._clock()
            if self._waiting >= FRAMES_WAITING:
                self.dropped += 1
                return
            self._waiting += 1
        self._loop.call_soon_threadsafe(self._frames.put_nowait, pcm16)

    async def frame(self) -> bytes:
        """The oldest frame; waits for the device."""
        pcm16 = await self._frames.get()
        with self._lock:
            self._waiting -= 1
        return pcm16
