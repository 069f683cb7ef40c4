"""How does a simulated caller call? Frames of 20 ms in real time over raw gRPC; everything that comes is recorded.

Light on purpose: many of them share one process that must not be the bottleneck of what it measures.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1 import voice_workflow_pb2_grpc

from voice_bench.measure.call_log import CallLog
from voice_bench.measure.clips import FRAME_BYTES, FRAME_MS, FRAME_S, RATE_HZ, Frames, at_rate

SILENT_FRAME = bytes(FRAME_BYTES)
_REPORT_EVERY_FRAMES = 10
"""A playout report every 200 ms."""
_END_WITHIN_S = 5.0
_QUEUE_LIMIT_FRAMES = 50 * 600


class CallFailed(Exception):
    """The call did not go as it must; the sentence says what happened."""


@dataclass(frozen=True, slots=True)
class SentClip:
    """When a clip went out."""

    began_at: float
    """Its first sample: a frame's length before its first frame was sent."""
    last_sent_at: float
    """Its last frame was sent."""


@asynccontextmanager
async def channel_to(target: str) -> AsyncIterator[grpc.aio.Channel]:
    """A connection of its own, like every real caller's."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        yield channel


class Caller:  # size: the state of one simulated call, in one loop
    """One call. Use `calling`; then `speak` and `until`."""

    def __init__(self, start: pb.SessionStart) -> None:
        self.record = CallLog()
        self._start = start
        self._rate_hz = start.input.sample_rate_hz or RATE_HZ
        self._frame_samples = self._rate_hz * FRAME_MS // 1000
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()
        self.is_dropped = False
        """True: vanish without a word when the block ends."""
        self._is_hanging_up = False
        self._sent_frames = 0
        self._orders: deque[pb.ClientMessage] = deque()
        self._clip_began_at = 0.0
        self._clip_ended_at = 0.0
        self._spoke = False
        self._seq = 0

    async def speak(self, clip: Frames) -> SentClip:
        """Say a clip (at RATE_HZ) in real time. Returns when its last frame was sent."""
        clip = at_rate(clip, self._rate_hz)
        if len(self._frames) + len(clip) > _QUEUE_LIMIT_FRAMES:
            raise CallFailed("more than ten minutes of speech wait to be sent")
        began = self._sent_frames
        self._frames.extend(clip)
        await self.until(lambda: not self._frames or self.record.over_at is not None, 5 + len(clip) * FRAME_S)
        if self._frames or self._sent_frames < began + len(clip):
            raise CallFailed("the call ended before everything was said")
        return SentClip(self._clip_began_at, self._clip_ended_at)

    async def until(self, happened: Callable[[], bool], limit_s: float, what: str = "an answer") -> None:
        """Wait for something in the record. Raises CallFailed after `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                while not happened():
                    if self.record.over_at is not None:
                        raise CallFailed(f"the call ended before {what}: {self.record.errors or 'no error was told'}")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise CallFailed(f"no {what} within {limit_s:g} s; errors: {self.record.errors or 'none'}") from None

    def interrupt(self) -> None:
        """Send Interrupt with the next frame."""
        self._orders.append(pb.ClientMessage(interrupt=pb.Interrupt()))

    def type(self, text: str) -> None:
        """Send a typed turn with the next frame."""
        self._orders.append(pb.ClientMessage(text=pb.Text(text=text)))

    def hang_up(self) -> None:
        """Send SessionEnd with the next frame."""
        self._is_hanging_up = True

    # ------------------------------------------------------------------------------------ its two tasks

    async def send(self, call: "grpc.aio.StreamStreamCall[pb.ClientMessage, pb.ServerMessage]") -> None:
        """Audio in real time until told to hang up."""
        await call.write(self._numbered(pb.ClientMessage(start=self._start)))
        await self.until(lambda: self.record.started_at is not None, 10, "SessionStarted")
        due = time.monotonic()
        while not self._is_hanging_up:
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._send_frame(call)
            while self._orders:
                await call.write(self._numbered(self._orders.popleft()))
            for report in self._reports():
                await call.write(self._numbered(pb.ClientMessage(playout=report)))
        await call.write(self._numbered(pb.ClientMessage(end=pb.SessionEnd())))
        await call.done_writing()

    async def receive(self, call: "grpc.aio.StreamStreamCall[pb.ClientMessage, pb.ServerMessage]") -> None:
        """Record everything until the stream ends."""
        try:
            async for message in call:
                self.record.take(message, time.monotonic())
                self._news.set()
        except grpc.aio.AioRpcError as error:
            self.record.errors.append(f"{error.code().name}: {error.details()}")
        self.record.over_at = self.record.over_at or time.monotonic()
        self._news.set()

    async def _send_frame(self, call: "grpc.aio.StreamStreamCall[pb.ClientMessage, pb.ServerMessage]") -> None:
        speaks = bool(self._frames)
        frame = self._frames.popleft() if speaks else bytes(2 * self._frame_samples)
        audio = pb.Audio(data=frame, first_sample=self._sent_frames * self._frame_samples)
        message = self._numbered(pb.ClientMessage(audio=audio))
        now = time.monotonic()
        if speaks and not self._spoke:
            self._clip_began_at = now - FRAME_S
        self._spoke = speaks
        self._sent_frames += 1
        if speaks and not self._frames:
            self._clip_ended_at = now
            self._spoke = False
            self._news.set()
        await call.write(message)

    def _reports(self) -> list[pb.PlayoutReport]:
        now, input_sample = time.monotonic(), self._sent_frames * self._frame_samples
        reports = []
        for reply in self.record.replies.values():
            if reply.reported or reply.first_audio_at is None:
                continue
            finished = reply.ended_at is not None and reply.loudspeaker.silent_from() <= now
            played = reply.played_at_cut if reply.cut is not None else reply.loudspeaker.played(now)
            reply.reported = finished or reply.cut is not None
            if reply.reported or self._sent_frames % _REPORT_EVERY_FRAMES == 0:
                report = pb.PlayoutReport(reply=reply.number, samples_played=played, final=reply.reported)
                report.input_sample = input_sample
                reports.append(report)
        return reports

    def _numbered(self, message: pb.ClientMessage) -> pb.ClientMessage:
        self._seq += 1
        message.seq = self._seq
        message.ack = self.record.last_seq
        return message


@asynccontextmanager
async def calling(
    channel: grpc.aio.Channel, start: pb.SessionStart | None = None, token: str = ""
) -> AsyncIterator[Caller]:
    """A call for the length of the block: silence from the start, SessionEnd and everything that still comes at the
    end. Raises CallFailed when the gateway does not start it, or does not end it within 5 s."""
    caller = Caller(start or pb.SessionStart(input=pb.AudioFormat(sample_rate_hz=RATE_HZ)))
    metadata = (("authorization", f"Bearer {token}"),) if token else None
    call = voice_workflow_pb2_grpc.VoiceGatewayStub(channel).Converse(metadata=metadata)
    sending = asyncio.create_task(caller.send(call), name="caller sends")
    receiving = asyncio.create_task(caller.receive(call), name="caller hears")
    try:
        await caller.until(lambda: caller.record.started_at is not None, 10, "SessionStarted")
        yield caller
        if caller.is_dropped:
            return
        caller.hang_up()
        await asyncio.wait({receiving}, timeout=_END_WITHIN_S)
        if not receiving.done():
            raise CallFailed(f"the gateway did not end the call within {_END_WITHIN_S:g} s of SessionEnd")
    finally:
        call.cancel()
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
