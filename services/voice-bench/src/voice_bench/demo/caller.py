"""How does the caller hold the call? Every 20 ms one frame is sent, one is heard, and both go onto the recording.

A frame that is sent now was spoken during the 20 ms before; what is played now sounds during the 20 ms after. The two
tracks keep to that, so that a distance on the recording is what a person in the room would measure.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pcm import AudioFormat, Encoding
from voice_client import CallOptions, Playout, connect
from voice_client.call import Call
from voice_client.events import Event
from voice_client.file_caller import FRAME_S, Frame, frames_of

from voice_bench.demo.call_summary import CallSummary
from voice_bench.demo.caller_behaviour import CallerBehaviour
from voice_bench.demo.script import RATE_HZ, Line

FRAME_SAMPLES = round(FRAME_S * RATE_HZ)
_SILENCE = Frame(bytes(2 * FRAME_SAMPLES), is_speech=False)
_WIRE = AudioFormat(Encoding.PCM16, RATE_HZ)

OnEvent = Callable[[Event, float], None]
OnLine = Callable[[Line, float], None]


@dataclass(slots=True)
class Tracks:
    """Both sides of the call, PCM16 at RATE_HZ, aligned."""

    caller: bytearray = field(default_factory=bytearray)
    agent: bytearray = field(default_factory=lambda: bytearray(2 * FRAME_SAMPLES))


@dataclass(slots=True)
class CallResult:
    """A call that is over."""

    summary: CallSummary
    tracks: Tracks
    gave_up: bool


async def run_call(
    target: str, lines: Sequence[Line], behaviour: CallerBehaviour, *, on_event: OnEvent, on_line: OnLine
) -> CallResult:
    """Say all lines to the gateway at `target`; `on_event` and `on_line` get the second of the call, too.

    Raises VoiceError when the call fails.
    """
    caller = _Caller(list(lines), behaviour, on_event, on_line)
    async with connect(target, CallOptions(input=_WIRE, output=_WIRE)) as call:
        listening = asyncio.create_task(caller.listen(call), name="demo caller listens")
        try:
            await caller.speak(call, listening)
        finally:
            listening.cancel()
            (outcome,) = await asyncio.gather(listening, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome
    return CallResult(caller.summary, caller.tracks, caller.gave_up)


@dataclass(slots=True)
class _Caller:
    waiting: list[Line]
    behaviour: CallerBehaviour
    on_event: OnEvent
    on_line: OnLine
    summary: CallSummary = field(default_factory=CallSummary)
    tracks: Tracks = field(default_factory=Tracks)
    playout: Playout = field(default_factory=lambda: Playout(RATE_HZ))
    speaking: list[Frame] = field(default_factory=list)
    now_s: float = 0.0
    gave_up: bool = False

    async def listen(self, call: Call) -> None:
        """Until the call ends."""
        async for event in call:
            self.playout.take(event)
            self.behaviour.observe(event, self.now_s)
            self.summary.observe(event, self.now_s)
            self.on_event(event, self.now_s)

    async def speak(self, call: Call, listening: asyncio.Task[None]) -> None:
        """Until everything is said and answered, or there is nobody to say it to."""
        loop = asyncio.get_running_loop()
        started, tick = loop.time(), 0
        while not listening.done():
            tick += 1
            self.now_s = tick * FRAME_S
            if self._is_over():
                return
            await self._send(call)
            await self._hear(call)
            # Due at fixed times: a late tick is made up for, and the recording stays in step with the clock.
            await asyncio.sleep(max(0.0, started + tick * FRAME_S - loop.time()))

    def _is_over(self) -> bool:
        self.gave_up = self.behaviour.gives_up(self.now_s)
        return self.gave_up or (not self.waiting and not self.speaking and self._may_speak())

    def _may_speak(self) -> bool:
        return self.behaviour.may_speak(self.now_s, hears_nothing=self.playout.is_idle)

    async def _send(self, call: Call) -> None:
        if not self.speaking and self.waiting:
            barges_in = self.waiting[0].barges_in and self.behaviour.may_barge_in(self.now_s)
            if barges_in or self._may_speak():
                self._begin(self.waiting.pop(0))
        frame = self.speaking.pop(0) if self.speaking else _SILENCE
        if self.speaking:
            self.behaviour.note_speech(self.now_s)
        if frame.is_speech:
            self.summary.note_speech(FRAME_S, self.now_s)
        self.tracks.caller += frame.pcm16
        await call.send_audio(frame.pcm16)

    def _begin(self, line: Line) -> None:
        self.speaking = frames_of(line.clip)
        self.behaviour.begin_line()
        self.summary.begin_line(line, self.now_s)
        self.on_line(line, self.now_s)

    async def _hear(self, call: Call) -> None:
        played = self.playout.play(FRAME_SAMPLES, self.now_s)
        self.tracks.agent += played.pcm16
        self.summary.note_audible(played, self.now_s)
        if played.heard_bytes:
            self.behaviour.note_audible(self.now_s, begins=bool(played.audible))
        for report in self.playout.reports(self.now_s, call.samples_sent):
            await call.report_playout(report)
