"""How does a recording make a call? It is sent in real time, then silence, until `end_of_call` says so.

The null device: one 20 ms tick sends a frame of the recording and makes as much of the reply heard.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pcm import SAMPLE_BYTES, Clip, Framer, dbfs

from voice_client.call import Call
from voice_client.call_record import CallRecord
from voice_client.end_of_call import EndOfCallDetector
from voice_client.errors import CallFailed
from voice_client.events import Event
from voice_client.playout import Playout

FRAME_S = 0.02
SPEECH_BELOW_PEAK_DB = 20.0
"""A frame counts as speech when it is at most this much softer than the loudest one. On the eleven recordings of
scripts/fetch_recordings.py the last such frame lies 0.18 s before to 0.09 s after where Silero hears speech end: softer
endings and room noise look alike in level, and an early T0 makes voice_to_voice longer, not better."""
SPEECH_FLOOR_DBFS = -55.0

OnEvent = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of a recording."""

    pcm16: bytes
    is_speech: bool


def frames_of(clip: Clip) -> list[Frame]:
    """`clip` in frames, the last one filled up with silence."""
    size = round(clip.rate_hz * FRAME_S) * SAMPLE_BYTES
    framer = Framer(size)
    pieces = framer.push(clip.pcm16)
    rest = framer.flush()
    if rest:
        pieces.append(rest.ljust(size, b"\0"))
    levels = [dbfs(piece) for piece in pieces]
    threshold = max([SPEECH_FLOOR_DBFS, *(level - SPEECH_BELOW_PEAK_DB for level in levels)])
    return [Frame(piece, level >= threshold) for piece, level in zip(pieces, levels, strict=True)]


async def run_call(
    call: Call, frames: list[Frame], *, on_event: OnEvent, patience_s: float, end_of_call: EndOfCallDetector
) -> CallRecord:
    """Sends `frames` (none for a typed turn) and listens until the call is over.

    Raises VoiceError when the call fails, or when nothing happened for `patience_s`.
    """
    caller = _FileCaller(call, frames, end_of_call, CallRecord(), Playout(call.started.output.rate_hz))
    caller.quiet_since_s = asyncio.get_running_loop().time()
    listening = asyncio.create_task(caller.listen(on_event), name="voice recorded caller")
    try:
        await caller.speak(listening, patience_s)
    finally:
        listening.cancel()
        (outcome,) = await asyncio.gather(listening, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
    return caller.record


@dataclass(slots=True)
class _FileCaller:
    """One call being held; `quiet_since_*`: since when nothing has happened, on the clock and in samples sent."""

    call: Call
    frames: list[Frame]
    end_of_call: EndOfCallDetector
    record: CallRecord
    playout: Playout
    quiet_since_s: float = 0.0
    quiet_since_sample: int = 0

    async def listen(self, on_event: OnEvent) -> None:
        """Until the call ends."""
        async for event in self.call:
            self._note_activity(asyncio.get_running_loop().time())
            self.end_of_call.observe(event)
            self.record.observe(event)
            self.playout.take(event)
            on_event(event)

    async def speak(self, listening: asyncio.Task[None], patience_s: float) -> None:
        """Until the call is over, or listening to it ended."""
        loop = asyncio.get_running_loop()
        started_s, tick = loop.time(), 0
        while not listening.done():
            now = loop.time()
            await self._send(tick, now)
            heard_bytes = await self._hear(tick, now)
            tick += 1
            if tick < len(self.frames) or heard_bytes:
                self._note_activity(now)
            elif self._is_over(now):
                return
            elif now - self.quiet_since_s > patience_s:
                raise CallFailed(f"nothing happened for {patience_s:g} s: {_missing(self.record)}")
            # Ticks are due at fixed times, so a late one is made up for; the clock of the call is the audio.
            await asyncio.sleep(max(0.0, started_s + tick * FRAME_S - loop.time()))

    async def _send(self, tick: int, now: float) -> None:
        if not self.frames:
            return
        if tick < len(self.frames):
            await self.call.send_audio(self.frames[tick].pcm16)
            if self.frames[tick].is_speech:
                self.record.speech_sent(now)
        else:
            await self.call.send_audio(bytes(len(self.frames[0].pcm16)))

    async def _hear(self, tick: int, now: float) -> int:
        rate_hz = self.playout.rate_hz
        count = int((tick + 1) * FRAME_S * rate_hz) - int(tick * FRAME_S * rate_hz)
        heard = self.playout.play(count, now)
        self.record.played(heard)
        for report in self.playout.reports(now, self.call.samples_sent):
            await self.call.report_playout(report)
        return heard.heard_bytes

    def _note_activity(self, now: float) -> None:
        self.quiet_since_s, self.quiet_since_sample = now, self.call.samples_sent

    def _is_over(self, now: float) -> bool:
        needed_s = self.end_of_call.quiet_needed_s
        if needed_s is None or not self.playout.is_idle:
            return False
        if not self.frames:
            return now - self.quiet_since_s >= needed_s
        silent_s = (self.call.samples_sent - self.quiet_since_sample) / self.call.started.input.rate_hz
        return silent_s >= needed_s


def _missing(record: CallRecord) -> str:
    if not record.finals:
        return "no final transcript came; is there speech in the recording, and is the recogniser running?"
    if not record.replies:
        return "no reply came; look at the language model"
    return "the reply did not end"
