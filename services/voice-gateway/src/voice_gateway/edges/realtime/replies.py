"""Which response is told of which reply of the call? One reply may be several responses: a function call ends the
first, and what its result brings is the next one, which the client asks for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voice_gateway.core.events import Failed, ReplyText, ToolCalled, TurnChanged
from voice_gateway.core.tokens import estimate
from voice_gateway.edges.realtime.items import Item, Items
from voice_gateway.edges.realtime.refusals import EventRefused, invalid
from voice_gateway.edges.realtime.response import Event, Outcome, Response, ResponseSetup, ResponseUsage

_RESAMPLED_MS = 5
"""Audio at another rate lags by a millisecond or two: what was said before an item was heard whole all the same."""


@dataclass(slots=True)
class _Call:
    """A function call of the reply that waits for it."""

    n: int
    output: str | None = None


@dataclass(slots=True)
class _Truncation:
    """The client has said how much of an item it played; its event follows when the history says so, too."""

    item: Item
    audio_end_ms: int


@dataclass(slots=True)
class Replies:  # size: what becomes of a reply, its function calls and its truncations is one state
    """The agent's side of one session."""

    items: Items
    setup: Callable[[], ResponseSetup]
    """How responses are made now."""
    input_tokens: Callable[[], int]
    """What the model was last shown."""
    wire_rate_hz: Callable[[], int]
    n: int = 0
    """The reply that has the floor; 0 = none has."""
    is_cancelled: bool = False
    """The client has cancelled it."""
    response: Response | None = None
    next_setup: ResponseSetup | None = None
    """Of the response that the client has asked for."""
    _calls: dict[str, _Call] = field(default_factory=dict)
    _words: int = 0
    """Of the reply, in responses that are over."""
    _truncations: dict[int, _Truncation] = field(default_factory=dict)
    _last: Item | None = None
    """The message that was said last, whose response is over."""

    @property
    def waits_for_client(self) -> bool:
        """Whether the reply goes on when the client has carried out what was called."""
        return any(call.n == self.n for call in self._calls.values())

    @property
    def outputs(self) -> dict[str, str] | None:
        """The outputs of all calls of the reply, by id; None = some are missing."""
        mine = {call_id: call.output for call_id, call in self._calls.items() if call.n == self.n}
        given = {call_id: output for call_id, output in mine.items() if output is not None}
        return given if len(given) == len(mine) else None

    def started(self, n: int) -> list[Event]:
        """Reply `n` has the floor."""
        self.n, self.is_cancelled, self._words = n, False, 0
        return self._begin()

    def goes_on(self) -> list[Event]:
        """The outputs of its calls are given to the reply: what it says now is another response."""
        self._calls = {call_id: call for call_id, call in self._calls.items() if call.n != self.n}
        return [*self.pause(), *self._begin()]

    def text(self, event: ReplyText) -> list[Event]:
        """More text."""
        if event.n != self.n:
            return []
        response, begun = self._current()
        return [*begun, *response.text(event.delta, self.items)]

    def audio(self, n: int, offset: int, data: bytes, samples: int) -> list[Event]:
        """More audio, at the wire's rate."""
        if n != self.n or not data:
            return []
        response, begun = self._current()
        return [*begun, *response.audio(data, offset, samples, self.items)]

    def called(self, event: ToolCalled) -> list[Event]:
        """The client is to call a function."""
        if event.n != self.n:
            return []
        self._calls[event.id] = _Call(event.n)
        response, begun = self._current()
        return [*begun, *response.call(event.id, event.name, event.arguments, self.items)]

    def call_cancelled(self, call_id: str) -> None:
        """Nobody waits for its output any more."""
        self._calls.pop(call_id, None)

    def failed(self, event: Failed) -> None:
        """A backend failed while a response was made."""
        if self.response is not None:
            self.response.failure = {"type": "server_error", "code": event.failure.value}

    def output_given(self, call_id: str, output: str) -> bool:
        """The output of a call; whether its reply waits for it. Raises EventRefused."""
        known = any(item.kind == "function_call" and item.call_id == call_id for item in self.items.all())
        if not known:
            raise invalid("item.call_id", f"no function was called as {call_id[:64]!r}; send the call_id of a call")
        if (call := self._calls.get(call_id)) is None:
            return False
        if call.output is not None:
            raise invalid("item.call_id", f"the output of {call_id[:64]!r} was given already")
        call.output = output
        return True

    def pause(self) -> list[Event]:
        """Nothing more is said until the client has carried out what was called: the response is over."""
        return self._finish("completed")

    def ended(self, event: TurnChanged) -> list[Event]:
        """The reply is over, and was said to its end."""
        whole = None if self._words else event.text
        events = self._finish("completed", text=whole or None)
        self._over()
        return events

    def broken_off(self, event: TurnChanged, *, retracted: bool) -> list[Event]:
        """The reply was interrupted, or retracted before anybody heard it."""
        reason = "client_cancelled" if self.is_cancelled else "turn_detected"
        message = self.response.message if self.response else None
        events = self._finish("cancelled", reason=reason)
        item = message or self._last
        if item is not None and item.n == event.reply:
            self.items.write(item, _heard_of(item, event.heard_text))
            if item.content_type == "output_audio":
                asked = self._truncations.pop(event.reply, None)
                heard_ms = asked.audio_end_ms if asked else 0 if retracted else self._own_ms(item, event.heard_ms)
                events.append(_truncated(asked.item if asked else item, heard_ms))
        self._over()
        return events

    def amended(self, event: TurnChanged) -> list[Event]:
        """The history holds what the client says it has heard."""
        asked = self._truncations.pop(event.reply, None)
        if asked is None:
            return []
        self.items.write(asked.item, _heard_of(asked.item, event.heard_text))
        return [_truncated(asked.item, asked.audio_end_ms)]

    def truncation(self, item: Item, audio_end_ms: int) -> int:
        """Note that the client has heard so much of an item; how much that is of its reply, milliseconds. Raises
        EventRefused."""
        if item.role != "assistant" or item.content_type != "output_audio" or item.entry:
            raise invalid("item_id", "only a message of the assistant that was spoken can be truncated")
        rate_hz = self.wire_rate_hz()
        audio_ms = round(item.samples * 1000 / rate_hz)
        if audio_end_ms > audio_ms:
            raise invalid("audio_end_ms", f"the item has {audio_ms} ms of audio; send at most that")
        self._truncations[item.n] = _Truncation(item, audio_end_ms)
        before_ms = round(item.first_sample * 1000 / rate_hz)
        return audio_end_ms + before_ms + (_RESAMPLED_MS if before_ms else 0)

    def check_cancel(self, response_id: str | None) -> None:
        """Raises EventRefused where there is nothing to cancel."""
        if not self.n:
            raise EventRefused("response_cancel_not_active", "Cancellation failed: no active response found.")
        if response_id is not None and (self.response is None or self.response.id != response_id):
            raise EventRefused(
                "response_cancel_not_active", "Cancellation failed: this response is not active.", "response_id"
            )

    def _begin(self) -> list[Event]:
        setup, self.next_setup = self.next_setup or self.setup(), None
        self.response = Response(self.n, setup, words_before=self._words)
        return self.response.created()

    def _current(self) -> tuple[Response, list[Event]]:
        """The response that goes on; one that the reply begins by itself, such as a filler, is told first."""
        begun = self._begin() if self.response is None else []
        assert self.response is not None, "one was begun"
        return self.response, begun

    def _finish(self, outcome: Outcome, *, reason: str = "", text: str | None = None) -> list[Event]:
        response, self.response = self.response, None
        if response is None:
            return []
        message = response.message
        written = sum(estimate(item.text) for item in response.output)
        usage = ResponseUsage(self.input_tokens(), written)
        events = response.finish(outcome, self.items, usage, reason=reason, text=text)
        self._last = message or self._last
        self._words += len(message.text.split()) if message else 0
        return events

    def _over(self) -> None:
        self._calls = {call_id: call for call_id, call in self._calls.items() if call.n != self.n}
        self.n, self.is_cancelled, self.next_setup = 0, False, None

    def _own_ms(self, item: Item, reply_ms: int) -> int:
        before_ms = round(item.first_sample * 1000 / self.wire_rate_hz())
        return max(0, reply_ms - before_ms)


def _heard_of(item: Item, heard: str) -> str:
    """What of a message was heard, of all that was heard of its reply."""
    return " ".join(heard.split()[item.words_before :]) if item.words_before else heard


def _truncated(item: Item, audio_end_ms: int) -> Event:
    return {
        "type": "conversation.item.truncated",
        "item_id": item.id,
        "content_index": 0,
        "audio_end_ms": audio_end_ms,
    }


def error_object(event: Failed) -> dict[str, Any]:
    """A failure of the call, as an error event tells it."""
    kind = "rate_limit_error" if event.failure.value == "overloaded" else "server_error"
    kind = "invalid_request_error" if event.failure.value in ("bad_request", "unsupported") else kind
    return {"type": kind, "code": event.failure.value, "message": event.sentence, "param": None, "event_id": None}
