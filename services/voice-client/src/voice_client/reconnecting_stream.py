"""How does a call stay connected? Over one stream after another: it dials, resumes, follows GoAway, acknowledges.

    dial ── SessionStarted ──▶ converse ── SessionEnded ──▶ over
                                  │  ▲
             dropped or GoAway    ▼  │  SessionStarted(resumed), unacknowledged messages again
                                 resume ── deadline, or refused ──▶ CallLost

One task drives the ReconnectingStream (`run`), and owns a second one that writes.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_client import events
from voice_client.backoff import delay_s
from voice_client.errors import Busy, CallFailed, CallLost, Unreachable, VoiceError
from voice_client.grpc_stream import GrpcStream
from voice_client.options import CallOptions, Reconnect, session_start
from voice_client.sequencing import Arrival, Inbox, Outbox

HEARTBEAT_S = 0.5
"""After so long without a message an empty one goes out; a gateway that gets none knows that the stream is stalled."""
ACK_AFTER_MESSAGES = 32
"""An acknowledgement goes out by itself when nothing has carried it for so many messages."""

FULL_AT_MOST = 8
"""So many further connections are tried where a gateway is full: behind one address there may be pods with room. Of two
pods of which one is full, 2 callers in 1,000 miss the other."""
_ELSEWHERE = Reconnect(first_s=0.05, longest_s=0.4)

Deliver = Callable[[events.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _GatewayMoved:
    target: str


@dataclass(frozen=True, slots=True)
class _CallOver:
    pass


class ReconnectingStream:  # size: one state machine, drawn above
    """Open it once with `open`, then run `run` in a task until it returns or raises VoiceError."""

    def __init__(self, target: str, options: CallOptions, outbox: Outbox, deliver: Deliver) -> None:
        self._target = target
        self._options = options
        self._outbox = outbox
        self._inbox = Inbox()
        self._deliver = deliver
        self._stream: GrpcStream | None = None
        self._token = ""
        self._started: events.Started | None = None
        self._wake = asyncio.Event()
        self._sent_ack = 0
        self._last_message_at = 0.0
        self._fatal_error: str | None = None
        self.is_hanging_up = False
        """SessionEnd was queued: a stream that closes now ended as we wished."""

    async def open(self) -> events.Started:
        """Dials; again while a gateway refuses for a moment, as one that drains does, and a few times where one is
        full: the next connection may reach another pod. Raises VoiceError when no gateway starts the call in time."""
        loop, options = asyncio.get_running_loop(), self._options
        start = pb.ClientMessage(seq=self._outbox.skip_number(), start=session_start(options))
        deadline, attempt = loop.time() + options.admission_timeout_s, 0
        while True:
            try:
                return await self._dial(self._target, start)
            except Busy as refusal:
                attempt += 1
                # One that drains says when to come back. One that is full says when it may have room; whether to wait
                # for that long is the caller's choice, another pod is not.
                policy, after_s = (options.reconnect, refusal.retry_after_s) if refusal.dropped else (_ELSEWHERE, None)
                pause_s = delay_s(policy, attempt, after_s, random.random())
                is_full_everywhere = not refusal.dropped and attempt > FULL_AT_MOST
                if is_full_everywhere or loop.time() + pause_s >= deadline:
                    raise
            await asyncio.sleep(pause_s)

    def wake(self) -> None:
        """Call after adding to the outbox."""
        self._wake.set()

    async def run(self) -> None:
        """Converses until the call is over, resuming as often as needed."""
        while True:
            dropped: VoiceError | None = None
            try:
                outcome = await self._converse()
            except VoiceError as error:
                outcome, dropped = _GatewayMoved(self._target), error
            await self.close()
            if isinstance(outcome, _CallOver):
                return
            if dropped is not None:
                if self.is_hanging_up and dropped.dropped:
                    return
                self._check_resumable(dropped)
                await self._deliver(events.Dropped(str(dropped)))
            await self._resume(outcome.target)

    async def close(self) -> None:
        """Drops the stream, if there is one."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            await stream.close()

    # -- one stream ----------------------------------------------------------------------------------

    async def _dial(self, target: str, start: pb.ClientMessage) -> events.Started:
        stream = GrpcStream(target, self._options)
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                await _write_first(stream, start)
                message = await stream.read()
            if message is None or message.WhichOneof("message") != "started":
                raise CallFailed(f"{target} did not answer with SessionStarted; is it a voice gateway?")
            started = events.started_of(message.started)
            if start.start.HasField("resume") and not started.resumed:
                raise CallLost("the gateway forgot the call and began a new one; call again")
        except TimeoutError:
            await stream.close()
            raise Unreachable(
                f"{target} did not start the call within {self._options.connect_timeout_s:g} s; try again",
                dropped=True,
            ) from None
        except BaseException:
            await stream.close()
            raise
        self._stream, self._started = stream, started
        self._token = message.started.resume_token or self._token
        self._outbox.keeps_written = bool(self._token)
        self._inbox.classify(message.seq, opens_stream=True)
        self._outbox.acknowledge(max(message.ack, start.seq))
        self._outbox.rewind()
        self._last_message_at = asyncio.get_running_loop().time()
        await self._deliver(started)
        return started

    async def _converse(self) -> _CallOver | _GatewayMoved:
        assert self._stream is not None
        writer = asyncio.create_task(self._write_all(self._stream), name="voice call writer")
        try:
            return await self._read_all(self._stream)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _read_all(self, stream: GrpcStream) -> _CallOver | _GatewayMoved:
        while True:
            message = await self._read_in_time(stream)
            if message is None:
                if self.is_hanging_up:
                    return _CallOver()
                raise CallLost("the gateway closed the stream in the middle of the call", dropped=True)
            self._last_message_at = asyncio.get_running_loop().time()
            self._outbox.acknowledge(message.ack)
            arrival = self._inbox.classify(message.seq)
            if arrival is Arrival.GAP:
                raise CallLost(f"messages before {message.seq} were lost on the way", dropped=True)
            if arrival is Arrival.REPEATED:
                continue
            if self._inbox.ack - self._sent_ack >= ACK_AFTER_MESSAGES:
                self._wake.set()
            outcome = await self._take(message)
            if outcome is not None:
                return outcome

    async def _read_in_time(self, stream: GrpcStream) -> pb.ServerMessage | None:
        """Raises CallLost when the gateway left what we sent unacknowledged for `silent_link_s`."""
        loop = asyncio.get_running_loop()
        reading = asyncio.ensure_future(stream.read())
        try:
            while True:
                # grpc's read is not awaited under a timeout of its own: cancelling it would cancel the stream.
                await asyncio.wait({reading}, timeout=self._options.silent_link_s)
                if reading.done():
                    return reading.result()
                silent_s = loop.time() - self._last_message_at
                if self._outbox.is_waiting and self._token and silent_s >= self._options.silent_link_s:
                    raise CallLost(f"the gateway was silent for {silent_s:.0f} s", dropped=True)
        finally:
            reading.cancel()

    async def _take(self, message: pb.ServerMessage) -> _CallOver | _GatewayMoved | None:
        assert self._started is not None
        event = events.event_of(message, self._started.output)
        if event is not None:
            await self._deliver(event)
        if isinstance(event, events.Error) and event.fatal:
            self._fatal_error = event.message
        if isinstance(event, events.Ended):
            return _CallOver()
        if isinstance(event, events.GoAway) and event.followed:
            self._token = message.go_away.resume_token
            return _GatewayMoved(event.target or self._target)
        return None

    async def _write_all(self, stream: GrpcStream) -> None:
        """Writes what waits; a broken stream ends it quietly, because reading says why."""
        try:
            while True:
                self._wake.clear()
                while (message := self._outbox.next_unwritten()) is not None:
                    await self._write(stream, message)
                if self._inbox.ack - self._sent_ack >= ACK_AFTER_MESSAGES:
                    await self._write(stream, pb.ClientMessage())
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await self._wake.wait()
                except TimeoutError:
                    await self._write(stream, pb.ClientMessage())
        except (VoiceError, ConnectionResetError):
            return

    async def _write(self, stream: GrpcStream, message: pb.ClientMessage) -> None:
        message.ack = self._inbox.ack
        await stream.write(message)
        self._sent_ack = max(self._sent_ack, message.ack)

    # -- the next stream -----------------------------------------------------------------------------

    def _check_resumable(self, dropped: VoiceError) -> None:
        if self._fatal_error is not None:
            raise CallFailed(self._fatal_error) from dropped
        if not dropped.dropped:
            raise dropped
        if not self._token:
            raise CallLost(f"{dropped}; this gateway can't resume a call, so call again") from dropped

    async def _resume(self, target: str) -> None:
        loop, policy = asyncio.get_running_loop(), self._options.reconnect
        assert self._started is not None
        deadline = loop.time() + min(policy.deadline_s, self._started.resume_life_s or policy.deadline_s)
        addresses = [target, self._target] if target != self._target else [target]
        attempt = 0
        while True:
            address = addresses[attempt % len(addresses)]
            try:
                async with asyncio.timeout_at(deadline):
                    await self._dial(address, self._resume_start())
                self._target = address
                return
            except TimeoutError:
                raise CallLost(f"{address} could not be reached in time to resume the call; call again") from None
            except VoiceError as error:
                attempt += 1
                pause_s = delay_s(policy, attempt, error.retry_after_s, random.random())
                if not (error.dropped or error.retry_after_s is not None):
                    raise CallLost(f"the call could not be resumed: {error}") from error
                if loop.time() + pause_s >= deadline:
                    raise CallLost(f"the call could not be resumed in time: {error}") from error
            await asyncio.sleep(pause_s)

    def _resume_start(self) -> pb.ClientMessage:
        # Not numbered: it belongs to the stream, and older messages that are sent again come after it.
        resume = pb.Resume(token=self._token, last_server_seq=self._inbox.ack)
        self._sent_ack = self._inbox.ack
        return pb.ClientMessage(ack=self._inbox.ack, start=pb.SessionStart(resume=resume))


async def _write_first(stream: GrpcStream, start: pb.ClientMessage) -> None:
    try:
        await stream.write(start)
    except ConnectionResetError:
        return  # refused before it was read: the status says why
