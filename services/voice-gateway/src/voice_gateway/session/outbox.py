"""What goes out to the caller? Numbered events, kept until the caller has them, so that a dropped stream loses none."""

import asyncio
from collections import deque

from voice_gateway.core.events import CallEnded, ReplySound, SessionEvent

MAX_EVENTS = 2048
MAX_AUDIO_BYTES = 4 * 1024 * 1024


class OutboxFull(Exception):
    """The caller reads too slowly: nothing that was not sent may be dropped."""


class Outbox:
    """Events from `first` on; the oldest sent ones go when it is full, and with them the way back to there."""

    def __init__(self, max_events: int = MAX_EVENTS, max_audio_bytes: int = MAX_AUDIO_BYTES) -> None:
        self._events: deque[SessionEvent] = deque()
        self._first = 1
        self._next = 1
        self._audio_bytes = 0
        self._max_events = max_events
        self._max_audio_bytes = max_audio_bytes
        self._ready = asyncio.Event()

    def put(self, event: SessionEvent) -> None:
        """Number and keep an event. Raises OutboxFull; the last word always fits."""
        audio_bytes = _audio_bytes(event)
        while len(self._events) >= self._max_events or self._audio_bytes + audio_bytes > self._max_audio_bytes:
            if self._first >= self._next:
                if isinstance(event, CallEnded):
                    break
                raise OutboxFull
            self._drop()
        self._events.append(event)
        self._audio_bytes += audio_bytes
        self._ready.set()

    def acknowledge(self, seq: int) -> None:
        """The caller has everything up to `seq`."""
        while self._events and self._first <= seq and self._first < self._next:
            self._drop()

    def rewind(self, seq: int) -> bool:
        """Send again from after `seq`; False when that is no longer kept, or was never sent."""
        if not self._first <= seq + 1 <= self._next:
            return False
        self._next = seq + 1
        self._ready.set()
        return True

    async def take(self) -> tuple[int, SessionEvent]:
        """The next event to send, with its number."""
        while self._next - self._first >= len(self._events):
            self._ready.clear()
            await self._ready.wait()
        seq = self._next
        self._next += 1
        return seq, self._events[seq - self._first]

    def _drop(self) -> None:
        self._audio_bytes -= _audio_bytes(self._events.popleft())
        self._first += 1


def _audio_bytes(event: SessionEvent) -> int:
    return len(event.pcm16) if isinstance(event, ReplySound) else 0
