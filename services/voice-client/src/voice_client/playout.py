"""What does the caller hear, and when? A model of the loudspeaker between the stream and a sound device.

    ReplyAudio ──▶ buffer ──(prebuffer reached)──▶ playing ──▶ drained, and the gateway said REPLY_ENDED: final
                     │  REPLY_HELD: silence until REPLY_RESUMED
                     │  REPLY_INTERRUPTED, REPLY_RETRACTED: flushed, final at once

Pure: a device asks with `play` for the samples it is about to make heard and says at which moment the first of
them sounds. Replies play one after another. A reply that runs dry waits for a full prebuffer again.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from pcm import SAMPLE_BYTES, samples

from voice_client.events import Event, ReplyAudio, Turn, TurnEvent

PREBUFFER_S = 0.06
"""Three 20 ms frames: rides out the jitter of a wired network; one frame of delay less is not felt."""
REPORT_EVERY_S = 0.2
"""The contract asks for 100..500 ms."""
MAX_BUFFERED_S = 600.0
"""A gateway is at most seconds ahead of the loudspeaker; beyond ten minutes audio is dropped."""
AUDIBLE = 104
"""-50 dBFS: synthesised leading silence is below, the softest speech onset above."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was really heard of a reply up to now, beside the caller's input clock."""

    reply: int
    samples_played: int
    input_sample: int
    final: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """What a device makes heard: PCM16, as long as asked for, silence where there is nothing to play."""

    pcm16: bytes
    heard_bytes: int
    """How much of it is reply audio."""
    audible: tuple[tuple[int, float], ...] = ()
    """(reply, moment) for every reply whose first audible sample is among these."""


@dataclass(slots=True)
class _Reply:
    """One reply in the buffer; `at` is the position of the next sample to play."""

    number: int
    chunks: deque[bytes] = field(default_factory=deque)
    buffered: int = 0
    received: int = 0
    played: int = 0
    running: bool = False
    held: bool = False
    complete: bool = False
    audible: bool = False


class Playout:
    """The loudspeaker of one call. Not for two threads at once."""

    def __init__(
        self, rate_hz: int, *, prebuffer_s: float = PREBUFFER_S, report_every_s: float = REPORT_EVERY_S
    ) -> None:
        self.rate_hz = rate_hz
        self._prebuffer = round(prebuffer_s * rate_hz)
        self._report_every_s = report_every_s
        self._replies: deque[_Reply] = deque()
        self._finished: list[_Reply] = []
        self._over_to = 0  # replies are numbered upwards: what comes late of one up to here is not played
        self._reported_at: float | None = None
        self._reported_played = -1

    def take(self, event: Event) -> None:
        """Learns from an event of the call; those that are not about replies change nothing."""
        if isinstance(event, ReplyAudio):
            self._buffer(event)
        elif isinstance(event, TurnEvent):
            self._turn(event)

    def play(self, count: int, at: float) -> Played:
        """The next `count` samples; the first of them sounds at `at` (seconds, any clock that never goes back)."""
        parts: list[bytes] = []
        audible: list[tuple[int, float]] = []
        missing = count
        while missing and self._replies:
            reply = self._replies[0]
            if not self._may_run(reply):
                break
            piece = _cut(reply, missing)
            index = None if reply.audible else _first_audible(piece)
            if index is not None:
                reply.audible = True
                audible.append((reply.number, at + (count - missing + index) / self.rate_hz))
            parts.append(piece)
            missing -= samples(piece)
            self._settle()
        heard = b"".join(parts)
        return Played(heard + bytes(missing * SAMPLE_BYTES), len(heard), tuple(audible))

    def reports(self, now: float, input_sample: int) -> list[Report]:
        """What to tell the gateway at `now`: every `report_every_s` while a reply plays, and once at its end."""
        told = [Report(reply.number, reply.played, input_sample, final=True) for reply in self._finished]
        if told:
            self._finished.clear()
            self._reported_at, self._reported_played = None, -1
        if not self._replies:
            return told
        reply = self._replies[0]
        if reply.played == 0 or reply.played == self._reported_played:
            return told
        if self._reported_at is None or now - self._reported_at >= self._report_every_s:
            self._reported_at, self._reported_played = now, reply.played
            told.append(Report(reply.number, reply.played, input_sample))
        return told

    @property
    def is_idle(self) -> bool:
        """Nothing is buffered and no reply is open."""
        return not self._replies and not self._finished

    @property
    def buffered_s(self) -> float:
        """Seconds that wait to be heard."""
        return sum(reply.buffered for reply in self._replies) / self.rate_hz

    @property
    def progress(self) -> tuple[int, int] | None:
        """(reply, samples of it played) of the reply that plays or waits; None = there is none."""
        return (self._replies[0].number, self._replies[0].played) if self._replies else None

    def _buffer(self, audio: ReplyAudio) -> None:
        if audio.reply <= self._over_to:
            return
        reply = self._find(audio.reply)
        # After a resume the gateway may repeat the end of what it sent before.
        fresh = audio.pcm16[max(0, reply.received - audio.offset) * SAMPLE_BYTES :]
        room = round(MAX_BUFFERED_S * self.rate_hz) - reply.buffered
        fresh = fresh[: room * SAMPLE_BYTES]
        if fresh:
            reply.chunks.append(fresh)
            reply.buffered += samples(fresh)
            reply.received = max(reply.received, audio.offset) + samples(fresh)

    def _turn(self, event: TurnEvent) -> None:
        match event.kind:
            case Turn.REPLY_STARTED if event.reply > self._over_to:
                self._find(event.reply)
            case Turn.REPLY_HELD | Turn.REPLY_RESUMED if event.reply > self._over_to:
                self._find(event.reply).held = event.kind is Turn.REPLY_HELD
            case Turn.REPLY_ENDED if event.reply > self._over_to:
                self._find(event.reply).complete = True
                self._settle()
            case Turn.REPLY_INTERRUPTED | Turn.REPLY_RETRACTED if event.reply > self._over_to:
                reply = self._find(event.reply)
                reply.chunks.clear()
                reply.buffered, reply.complete, reply.held = 0, True, False
                self._settle()
            case _:
                pass

    def _find(self, number: int) -> _Reply:
        for reply in self._replies:
            if reply.number == number:
                return reply
        reply = _Reply(number)
        # An older reply that the gateway forgot to end must not hold up this one.
        for older in self._replies:
            older.complete = True
        self._replies.append(reply)
        self._settle()
        return reply

    def _may_run(self, reply: _Reply) -> bool:
        if reply.held or not reply.buffered:
            reply.running = False
        elif not reply.running:
            reply.running = reply.complete or reply.buffered >= self._prebuffer
        return reply.running

    def _settle(self) -> None:
        """Moves replies that are over out of the way."""
        for reply in [reply for reply in self._replies if reply.complete and not reply.buffered]:
            self._replies.remove(reply)
            self._finished.append(reply)
            self._over_to = max(self._over_to, reply.number)


def _cut(reply: _Reply, count: int) -> bytes:
    """Up to `count` samples from the front of the buffer."""
    chunk = reply.chunks.popleft()
    piece, rest = chunk[: count * SAMPLE_BYTES], chunk[count * SAMPLE_BYTES :]
    if rest:
        reply.chunks.appendleft(rest)
    reply.buffered -= samples(piece)
    reply.played += samples(piece)
    return piece


def _first_audible(pcm16: bytes) -> int | None:
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm16, dtype="<i2").astype(np.int32)) >= AUDIBLE)
    return int(loud[0]) if len(loud) else None
