"""What can a caller do during a call? `async with connect(target, CallOptions(...)) as call:`"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from pcm import samples
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_client.events import Event, Started
from voice_client.options import CallOptions
from voice_client.playout import Report
from voice_client.reconnecting_stream import ReconnectingStream
from voice_client.sequencing import Outbox
from voice_client.tool_runner import ToolRunner

EVENTS_WAITING = 1024
"""Events nobody has taken yet. When full the stream is not read on, and the gateway feels it by flow control."""


class Call:  # size: a method for each thing that a caller can do
    """One conversation, over as many streams as it takes. Iterate it to get its events; iterate all the time.

    Nothing here waits for the network except `end` and the iteration: what is sent is numbered, put into a
    bounded outbox and written by the call's own task, now or after a reconnect.
    """

    def __init__(self, target: str, options: CallOptions) -> None:
        self._options = options
        self._outbox = Outbox()
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(EVENTS_WAITING)
        self._stream = ReconnectingStream(target, options, self._outbox, self._deliver)
        self._tools = ToolRunner(options.tools, self._send_result)
        self._running: asyncio.Task[None] | None = None
        self._started: Started | None = None
        self.samples_sent = 0
        """Index of the next input sample: the caller's clock, and the `input_sample` of a playout report."""

    @property
    def started(self) -> Started:
        """What was agreed when the call began."""
        assert self._started is not None, "a call exists only inside connect()"
        return self._started

    async def send_audio(self, pcm16: bytes) -> None:
        """PCM16 (whole samples, any length) at `started.input.rate_hz`, in real time: the clock is the audio."""
        agreed = self.started.input
        limit_bytes = 2 * max(1, agreed.rate_hz * self.started.max_audio_ms // 1000)
        for start in range(0, len(pcm16), limit_bytes):
            piece = pcm16[start : start + limit_bytes]
            audio = pb.Audio(data=agreed.encode(piece), first_sample=self.samples_sent)
            self.samples_sent += samples(piece)
            self._send(pb.ClientMessage(audio=audio))

    async def say(self, text: str) -> None:
        """A typed turn of 1..16384 characters."""
        self._send(pb.ClientMessage(text=pb.Text(text=text)))

    async def commit(self) -> None:
        """Push-to-talk: the turn is over."""
        self._send(pb.ClientMessage(commit=pb.CommitTurn()))

    async def interrupt(self) -> None:
        """Stops the reply."""
        self._send(pb.ClientMessage(interrupt=pb.Interrupt()))

    async def report_playout(self, report: Report) -> None:
        """What was really heard; `voice_client.playout.Playout` makes these."""
        self._send(pb.ClientMessage(playout=pb.PlayoutReport(**asdict(report))))

    async def answer_tool(self, call_id: str, content: str, *, failed: bool = False) -> None:
        """The result of a ToolCall; tools that hold a function are answered by the library."""
        self._send_result(call_id, content, failed)

    async def update(
        self, *, system_prompt: str | None = None, voice: str | None = None, language: str | None = None
    ) -> None:
        """Changes the call from the next reply on; None leaves a thing as it is."""
        update = pb.SessionUpdate(system_prompt=system_prompt, voice=voice, language=language)
        self._send(pb.ClientMessage(update=update))

    async def end(self) -> None:
        """Hangs up and waits up to `close_timeout_s` for the gateway's SessionEnded. Events stay readable."""
        if self._running is None or self._stream.is_hanging_up:
            return
        self._stream.is_hanging_up = True
        self._send(pb.ClientMessage(end=pb.SessionEnd()))
        await asyncio.wait({self._running}, timeout=self._options.close_timeout_s)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Ends after Ended, or raises the VoiceError that ended the call."""
        while self._running is not None:
            if self._running.done() and self._events.empty():
                break
            event = await self._events.get()
            if event is None:
                break
            yield event
        if self._running is not None and self._running.done() and not self._running.cancelled():
            self._running.result()

    def _send_result(self, call_id: str, content: str, failed: bool) -> None:
        self._send(pb.ClientMessage(tool_result=pb.ToolResult(id=call_id, content=content, failed=failed)))

    def _send(self, message: pb.ClientMessage) -> None:
        self._outbox.add(message)
        self._stream.wake()

    async def _deliver(self, event: Event) -> None:
        self._tools.take(event)
        # After hanging up nobody may be reading: the newest events are kept, SessionEnded among them.
        if self._stream.is_hanging_up and self._events.full():
            self._events.get_nowait()
        await self._events.put(event)

    async def _run(self) -> None:
        try:
            await self._stream.run()
        finally:
            await self._tools.close()
            # Wakes a reader that waits on an empty queue; one that is behind finds the task done by itself.
            if self._events.empty():
                self._events.put_nowait(None)


@asynccontextmanager
async def connect(target: str, options: CallOptions | None = None) -> AsyncIterator[Call]:
    """A call at `target` ("host:port"), hung up when the block is left.

    Raises VoiceError when it can't begin: at once at a wrong address, after `admission_timeout_s` where gateways drain.
    """
    call = Call(target, options or CallOptions())
    call._started = await call._stream.open()
    call._running = asyncio.create_task(call._run(), name="voice call")
    try:
        yield call
    finally:
        try:
            await call.end()
        finally:
            call._running.cancel()
            await asyncio.gather(call._running, return_exceptions=True)
            await call._stream.close()
