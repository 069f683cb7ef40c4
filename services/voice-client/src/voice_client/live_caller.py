"""How does a live caller hold a call? The device's thread and the event loop meet here, and nowhere else.

microphone thread ──add───▶ bounded queue ──▶ send_audio          (event loop)
loudspeaker thread ──fill──▶ Playout under a lock ◀── events       (event loop)
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pcm import dbfs
from pcm.level import FLOOR_DBFS

from voice_client.call import Call
from voice_client.events import Event, Latency, ReplyText, Transcript, Turn, TurnEvent
from voice_client.interfaces import AudioDevice
from voice_client.playout import Playout, Report

FRAMES_WAITING = 50
"""One second of 20 ms frames. When full the newest frame is dropped: the loop is stuck, and old speech comes first."""

TALK_KEYS = frozenset(" \n\r")


@dataclass(slots=True)
class View:
    """What a person at the terminal sees."""

    level_dbfs: float = FLOOR_DBFS
    talking: bool = False
    words: str = ""
    words_are_final: bool = False
    reply: str = ""
    latency: Latency | None = None
    frames_dropped: int = 0
    _reply_number: int = 0

    def observe(self, event: Event) -> None:
        """Learns from an event of the call."""
        match event:
            case Transcript():
                self.words, self.words_are_final = event.text, event.final
            case ReplyText():
                fresh = event.reply != self._reply_number
                self.reply = event.delta if fresh else self.reply + event.delta
                self._reply_number = event.reply
            case TurnEvent(kind=Turn.REPLY_INTERRUPTED):
                self.reply = f"{event.heard_text} ..."
            case Latency():
                self.latency = event
            case _:
                pass


@dataclass(slots=True)
class Speaker:
    """A Playout shared by the loop and the loudspeaker's thread; both hold the lock for microseconds."""

    playout: Playout
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, event: Event) -> None:
        """From the loop: an event of the call."""
        with self._lock:
            self.playout.take(event)

    def fill(self, count: int, delay_s: float) -> bytes:
        """From the loudspeaker's thread: the samples it is about to write."""
        with self._lock:
            return self.playout.play(count, time.monotonic() + delay_s).pcm16

    def reports(self, now: float, input_sample: int) -> list[Report]:
        """From the loop: what was really written."""
        with self._lock:
            return self.playout.reports(now, input_sample)


class Microphone:
    """Frames on their way from the device's thread to the loop, never more than FRAMES_WAITING."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting = 0
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(FRAMES_WAITING)
        self.dropped = 0

    def add(self, pcm16: bytes) -> None:
        """From the device's thread."""
        # Counted here and not in the loop, so that call_soon_threadsafe can't pile up while the loop is stuck.
        with self._lock:
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


class LiveCaller:
    """Holds one call with a device until the gateway ends it. `push_to_talk`: only talks between two key presses."""

    def __init__(self, call: Call, *, push_to_talk: bool, on_event: Callable[[Event], None]) -> None:
        self._call = call
        self._push_to_talk = push_to_talk
        self._on_event = on_event
        self.view = View(talking=not push_to_talk)
        self._speaker = Speaker(Playout(call.started.output.rate_hz))
        self._microphone = Microphone(asyncio.get_running_loop())
        self._replying = 0

    async def run(self, device: AudioDevice) -> None:
        """Until the call ends. Raises NoAudio, or the VoiceError that ended the call."""
        opened = device.open(
            input_hz=self._call.started.input.rate_hz,
            output_hz=self._call.started.output.rate_hz,
            on_captured=self._microphone.add,
            fill=self._speaker.fill,
        )
        with opened:
            sending = asyncio.create_task(self._send(), name="voice microphone")
            try:
                await self._listen()
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def press(self, key: str) -> None:
        """Space or enter: begins to talk (over a reply: interrupts it), or ends the turn."""
        if not self._push_to_talk or key not in TALK_KEYS:
            return
        self.view.talking = not self.view.talking
        if not self.view.talking:
            await self._call.commit()
        elif self._replying:
            await self._call.interrupt()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            pcm16 = await self._microphone.frame()
            self.view.level_dbfs = dbfs(pcm16)
            self.view.frames_dropped = self._microphone.dropped
            # Silence, not nothing, between turns: the input audio is the clock of the playout reports.
            await self._call.send_audio(pcm16 if self.view.talking else bytes(len(pcm16)))
            for report in self._speaker.reports(loop.time(), self._call.samples_sent):
                await self._call.report_playout(report)

    async def _listen(self) -> None:
        async for event in self._call:
            self._speaker.take(event)
            self.view.observe(event)
            self._on_event(event)
            if isinstance(event, TurnEvent):
                if event.kind is Turn.REPLY_STARTED:
                    self._replying = event.reply
                elif event.kind in (Turn.REPLY_ENDED, Turn.REPLY_INTERRUPTED, Turn.REPLY_RETRACTED):
                    self._replying = 0
