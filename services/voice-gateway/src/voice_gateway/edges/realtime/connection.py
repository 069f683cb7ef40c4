"""How does one WebSocket carry a session? Two tasks: one reads the client's events, one tells what the call tells."""

import asyncio
import json
import logging
from collections.abc import Sequence

from aiohttp import WSMsgType, web

from voice_gateway.core.events import CallEnded, CallerAudio, CallerEnded, EndReason, ReplyAudio
from voice_gateway.core.token_bucket import TokenBucket
from voice_gateway.edges.contract.read_limit import ReadLimit
from voice_gateway.edges.held_call import HeldCall
from voice_gateway.edges.realtime.actions import take
from voice_gateway.edges.realtime.call import ENDS, RealtimeCall
from voice_gateway.edges.realtime.client_events import checked, read
from voice_gateway.edges.realtime.items import new_id
from voice_gateway.edges.realtime.refusals import EventRefused, error_event
from voice_gateway.edges.realtime.response import Event
from voice_gateway.errors import BadRequest

log = logging.getLogger(__name__)

_TICK_S = 0.001
_QUIET_S = 0.2
"""Nothing is told for so long: what a reply said before it called a function has all left."""
_FIRST_SOUND_S = 1.5
"""The same, where words were told and none of them was heard yet: the voice may take so long."""


class Sender:
    """Writes events to one WebSocket, whole batches at a time."""

    def __init__(self, socket: web.WebSocketResponse, max_unread_s: float) -> None:
        self._socket = socket
        self._max_unread_s = max_unread_s
        self._turn = asyncio.Lock()

    async def send(self, events: Sequence[Event]) -> None:
        """Raises TimeoutError where the client reads nothing, ConnectionError where it is gone."""
        if not events:
            return
        async with self._turn, asyncio.timeout(self._max_unread_s):
            for event in events:
                await self._socket.send_str(json.dumps({"event_id": new_id("event"), **event}))


class ErrorReports:
    """Tells a client what is not taken: each time, but a flood of it in a few lines."""

    def __init__(self, call: HeldCall) -> None:
        self._call = call
        self._bucket = TokenBucket(call.limits.errors_per_s, call.limits.errors_burst)
        self._untold = 0

    def told(self, refused: EventRefused, event_id: str | None) -> list[Event]:
        """The error event, or nothing where too many were told just now."""
        if self._bucket.take(self._call.session.age_s):
            self._untold += 1
            return []
        event = error_event(refused, event_id)
        if self._untold:
            event["error"]["message"] += f" ({self._untold} events before it were not taken either)"
        self._untold = 0
        return [event]


class RealtimeConnection:
    """One WebSocket on a call, until either is over."""

    def __init__(self, held: HeldCall, call: RealtimeCall, socket: web.WebSocketResponse, sender: Sender) -> None:
        self._held = held
        self._call = call
        self._socket = socket
        self._sender = sender
        self._errors = ErrorReports(held)
        self._has_waiting = asyncio.Event()
        self._end = 1000, ""
        self._writer: asyncio.Task[None] | None = None

    def replaced(self) -> None:
        """Another stream carries the call: never, these calls can't be taken up again."""

    async def carry(self, first: str | None) -> tuple[int, str]:
        """Both directions until the call is over, or the client; the close code and why. `first` is an event that was
        read already."""
        held, name = self._held, self._held.session.name
        end = (1000, "")
        try:
            async with asyncio.TaskGroup() as tasks:
                self._writer = tasks.create_task(self._tell(), name=f"{name} writer")
                others = [
                    tasks.create_task(self._read(first), name=f"{name} reader"),
                    tasks.create_task(self._hand_on_later(), name=f"{name} audio"),
                ]
                held.attach(self)
                await asyncio.wait({self._writer})
                for task in others:
                    task.cancel()
                if not self._writer.cancelled() and self._writer.exception() is None:
                    end = self._end
        except* TimeoutError:
            end = 1008, f"nothing was read from this connection for {held.limits.max_unread_s:g} s"
        except* ConnectionError as broken:
            log.info("a connection of call %s is broken: %s", name, "; ".join(map(str, broken.exceptions)))
        finally:
            held.detach(self)
        return end

    # ----------------------------------------------------------------------------------- to the client

    async def _tell(self) -> None:
        """Everything the call tells, until its last word."""
        session, outbox = self._held.session, self._held.session.outbox
        while True:
            try:
                async with asyncio.timeout(self._quiet_s()):
                    _, event = await outbox.take()
            except TimeoutError:
                await self._sender.send(self._call.settle())
                continue
            if isinstance(event, CallEnded):
                await self._last_word(event)
                return
            if not isinstance(event, ReplyAudio):
                await session.requests_sent()
            await self._sender.send(self._call.tell(event))

    def _quiet_s(self) -> float | None:
        """How long nothing must be told until a response that waits for the client is over; None = none waits."""
        replies = self._call.replies
        if replies.response is None or not replies.waits_for_client:
            return None
        message = replies.response.message
        if message is None:
            return 0.0
        return _QUIET_S if message.samples or message.content_type == "output_text" else _FIRST_SOUND_S

    async def _last_word(self, event: CallEnded) -> None:
        code, reason = ENDS[event.reason]
        if event.reason is EndReason.FAILED and not event.sentence:
            event = CallEnded(event.reason, "the gateway failed; connect again")
        self._end = code, event.sentence or reason
        if reason and event.reason is not EndReason.IDLE:
            refused = EventRefused(reason, event.sentence or reason, kind="server_error")
            await self._sender.send([error_event(refused, None)])

    # --------------------------------------------------------------------------------- from the client

    async def _read(self, first: str | None) -> None:
        """Everything the client sends, until it closes."""
        limit = ReadLimit(self._held)
        if first is not None:
            await self._take(first)
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT:
                await limit.admit(len(message.data))
                await self._take(message.data)
            elif message.type is WSMsgType.BINARY:
                await limit.admit(len(message.data))
                refused = EventRefused(
                    "invalid_type", "a binary message came; send events as JSON text, audio in base64"
                )
                await self._sender.send(self._errors.told(refused, None))
            else:
                self._held.session.take(CallerEnded())
                return

    async def _take(self, text: str) -> None:
        event_id = None
        try:
            event_id, raw = read(text)
            answers = take(self._call, checked(raw))
        except EventRefused as refused:
            answers = self._errors.told(refused, event_id)
        except BadRequest as error:
            answers = self._errors.told(EventRefused("invalid_value", str(error)), event_id)
        self._hand_on()
        await self._sender.send(answers)

    def _hand_on(self) -> None:
        """Give the call the audio whose time has come."""
        call, now = self._call, self._held.session.age_s
        while (piece := call.queue.take(now)) is not None:
            if isinstance(piece, bytes):
                call.session.take(CallerAudio(piece))
            else:
                call.commit_reached()
        if call.queue.is_waiting:
            self._has_waiting.set()

    async def _hand_on_later(self) -> None:
        """The same for audio that came ahead of its time."""
        queue, session = self._call.queue, self._held.session
        while True:
            await self._has_waiting.wait()
            self._has_waiting.clear()
            await asyncio.sleep(max(queue.next_at() - session.age_s, _TICK_S))
            self._hand_on()
