"""What goes out to the caller? Numbered events, kept until the caller has them, so that a dropped stream loses none."""

import asyncio
import itertools
from collections import deque

from voice_gateway.core.events import (
    CallEnded,
    Failed,
    ReplyAudio,
    ReplyText,
    SessionEvent,
    ToolCalled,
    Transcribed,
    TurnChanged,
)
from voice_gateway.core.playout import SAMPLE_BYTES

MAX_EVENTS = 2048
MAX_BYTES = 1024 * 1024
"""Of audio and text together: half a minute of audio at 16 kHz, in a call that may pause for a quarter of one."""


class OutboxFull(Exception):
    """The caller reads too slowly: nothing that was not sent may be dropped."""


class Outbox:  # size: the counters are sums over its queue, so that no event costs a walk through it
    """Events from `first` on; the oldest sent ones go when it is full, and with them the way back to there."""

    def __init__(self, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._events: deque[SessionEvent] = deque()
        self._first = 1
        self._next = 1
        self._bytes = 0
        self._audio_bytes = 0
        self._unsent_audio_bytes = 0
        self._has_acknowledgements = False
        self._sent_to: dict[int, int] = {}
        self._acknowledged_to: dict[int, int] = {}
        """Sample after the last one of each recent reply that was sent, or acknowledged."""
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._ready = asyncio.Event()

    @property
    def audio_under_way_bytes(self) -> int:
        """Audio the caller does not have: not acknowledged, or, of a caller who acknowledges nothing, not sent."""
        return self._audio_bytes if self._has_acknowledgements else self._unsent_audio_bytes

    @property
    def awaits_acknowledgement(self) -> bool:
        """Whether a caller who acknowledges has not done so for something that was sent."""
        return self._has_acknowledgements and self._first < self._next

    def arrived_samples(self, n: int) -> int:
        """How much of reply `n` the caller can have heard: what was acknowledged, or else sent."""
        return (self._acknowledged_to if self._has_acknowledgements else self._sent_to).get(n, 0)

    def sent_samples(self, n: int) -> int:
        """How much of reply `n` was sent, of those that are remembered."""
        return self._sent_to.get(n, 0)

    def put(self, event: SessionEvent) -> None:
        """Number and keep an event. Raises OutboxFull; the last word always fits."""
        audio_bytes, size = _audio_bytes(event), _size(event)
        while len(self._events) >= self._max_events or self._bytes + size > self._max_bytes:
            if self._first >= self._next:
                if isinstance(event, CallEnded):
                    break
                raise OutboxFull
            self._drop()
        self._events.append(event)
        self._bytes += size
        self._audio_bytes += audio_bytes
        self._unsent_audio_bytes += audio_bytes
        self._ready.set()

    def acknowledge(self, seq: int) -> None:
        """The caller has everything up to `seq`."""
        self._has_acknowledgements = True
        while self._events and self._first <= seq and self._first < self._next:
            _note(self._acknowledged_to, self._events[0])
            self._drop()

    def drop_unsent_audio(self, n: int) -> None:
        """Reply `n` is dead: what comes next need not wait behind its audio. Numbers go to events as they are sent."""
        sent = self._next - self._first
        kept = [event for event in itertools.islice(self._events, sent, None) if not _is_audio_of(event, n)]
        while len(self._events) > sent:
            event = self._events.pop()
            audio_bytes = _audio_bytes(event)
            self._bytes -= _size(event)
            self._audio_bytes -= audio_bytes
            self._unsent_audio_bytes -= audio_bytes
        for event in kept:
            self.put(event)

    def rewind(self, seq: int) -> bool:
        """Send again from after `seq`; False when that is no longer kept, or was never sent."""
        if not self._first <= seq + 1 <= self._next:
            return False
        self._next = seq + 1
        self._unsent_audio_bytes = sum(
            map(_audio_bytes, itertools.islice(self._events, self._next - self._first, None))
        )
        self._ready.set()
        return True

    async def take(self) -> tuple[int, SessionEvent]:
        """The next event to send, with its number."""
        while self._next - self._first >= len(self._events):
            self._ready.clear()
            await self._ready.wait()
        seq = self._next
        self._next += 1
        event = self._events[seq - self._first]
        self._unsent_audio_bytes -= _audio_bytes(event)
        _note(self._sent_to, event)
        return seq, event

    def _drop(self) -> None:
        event = self._events.popleft()
        self._bytes -= _size(event)
        self._audio_bytes -= _audio_bytes(event)
        self._first += 1


def _note(ends: dict[int, int], event: SessionEvent) -> None:
    """The sample after the event's audio, of its reply and the one before."""
    if isinstance(event, ReplyAudio):
        ends[event.n] = event.offset + len(event.pcm16) // SAMPLE_BYTES
        for old in [n for n in ends if n < event.n - 1]:
            del ends[old]


def _is_audio_of(event: SessionEvent, n: int) -> bool:
    return isinstance(event, ReplyAudio) and event.n == n


def _audio_bytes(event: SessionEvent) -> int:
    return len(event.pcm16) if isinstance(event, ReplyAudio) else 0


def _size(event: SessionEvent) -> int:
    """What it holds: bytes of audio, and up to four a character of text."""
    match event:
        case ReplyAudio(pcm16=pcm16):
            return len(pcm16)
        case ReplyText(delta=text):
            return 4 * len(text)
        case Transcribed(text=text, words=words):
            return 4 * len(text) + 64 * len(words)
        case TurnChanged(text=text, heard_text=heard):
            return 4 * (len(text) + len(heard))
        case Failed(sentence=sentence):
            return 4 * len(sentence)
        case ToolCalled(arguments=arguments):
            return 4 * len(arguments)
    return 0
