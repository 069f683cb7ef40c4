"""Which events make one response? Its items, parts and deltas in the order that clients rely on."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from voice_gateway.edges.realtime.items import ContentType, Item, Items, Status, new_id

Event: TypeAlias = dict[str, Any]
Outcome: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class ResponseSetup:
    """What a response is made with, as the client is told."""

    modality: Literal["audio", "text"]
    output: Mapping[str, Any]
    """Format and voice."""
    max_output_tokens: int | Literal["inf"]
    conversation_id: str
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ResponseUsage:
    """Tokens of a response: those of the text that the language model was shown and wrote, estimated."""

    input_tokens: int
    output_tokens: int

    def shown(self) -> dict[str, Any]:
        """As the wire has it."""
        return {
            "total_tokens": self.input_tokens + self.output_tokens,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "input_token_details": {
                "text_tokens": self.input_tokens,
                "audio_tokens": 0,
                "image_tokens": 0,
                "cached_tokens": 0,
            },
            "output_token_details": {"text_tokens": self.output_tokens, "audio_tokens": 0},
        }


@dataclass(slots=True)
class Response:
    """One response, which says a part of reply `n` or all of it."""

    n: int
    setup: ResponseSetup
    id: str = field(default_factory=lambda: new_id("resp"))
    output: list[Item] = field(default_factory=list)
    message: Item | None = None
    """The message that is being said."""
    words_before: int = 0
    """Words of the reply in responses before this one."""
    failure: dict[str, Any] | None = None
    """What went wrong, as the wire tells it."""

    def created(self) -> list[Event]:
        """The response begins."""
        return [{"type": "response.created", "response": self.shown("in_progress")}]

    def shown(
        self, status: str, details: dict[str, Any] | None = None, usage: ResponseUsage | None = None
    ) -> dict[str, Any]:
        """The response object."""
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": [item.shown() for item in self.output],
            "conversation_id": self.setup.conversation_id,
            "output_modalities": [self.setup.modality],
            "max_output_tokens": self.setup.max_output_tokens,
            "audio": {"output": dict(self.setup.output)},
            "usage": usage.shown() if usage else None,
            "metadata": dict(self.setup.metadata) if self.setup.metadata else None,
        }

    def text(self, delta: str, items: Items) -> list[Event]:
        """More words."""
        item, events = self._message(items, 0)
        items.write(item, item.text + delta)
        kind = "output_audio_transcript" if self._is_spoken else "output_text"
        return [*events, {"type": f"response.{kind}.delta", **self._where(item), "delta": delta}]

    def audio(self, data: bytes, first_sample: int, samples: int, items: Items) -> list[Event]:
        """More audio: `samples` from `first_sample` of the reply on, at the wire's rate."""
        item, events = self._message(items, first_sample)
        item.samples = first_sample + samples - item.first_sample
        delta = base64.b64encode(data).decode()
        return [*events, {"type": "response.output_audio.delta", **self._where(item), "delta": delta}]

    def call(self, call_id: str, name: str, arguments: str, items: Items) -> list[Event]:
        """The client is to call a function."""
        item = Item(new_id("item"), "function_call", "assistant", status="in_progress", n=self.n, call_id=call_id)
        item.name = name
        previous = items.add(item)
        self.output.append(item)
        where = {"response_id": self.id, "item_id": item.id, "output_index": len(self.output) - 1}
        added = self._item_events("added", item, previous)
        items.write(item, arguments)
        item.status = "completed"
        done = self._item_events("done", item, previous)
        return [
            *added,
            {"type": "response.function_call_arguments.delta", **where, "call_id": call_id, "delta": arguments},
            {
                "type": "response.function_call_arguments.done",
                **where,
                "call_id": call_id,
                "name": name,
                "arguments": arguments,
            },
            *reversed(done),
        ]

    def finish(
        self, outcome: Outcome, items: Items, usage: ResponseUsage, *, reason: str = "", text: str | None = None
    ) -> list[Event]:
        """The response is over; `text` is what its message says after all."""
        if self.message is not None:
            items.write(self.message, (self.message.text if text is None else text).strip())
        events = self._close("completed" if outcome == "completed" else "incomplete")
        details: dict[str, Any] | None = None
        if self.failure is not None and outcome == "completed":
            outcome, details = "failed", {"type": "failed", "error": self.failure}
        elif outcome != "completed":
            details = {"type": outcome, "reason": reason}
        done = {"type": "response.done", "response": self.shown(outcome, details, usage)}
        return [*events, done]

    @property
    def _is_spoken(self) -> bool:
        return self.setup.modality == "audio"

    def _where(self, item: Item) -> dict[str, Any]:
        index = self.output.index(item)
        return {"response_id": self.id, "item_id": item.id, "output_index": index, "content_index": 0}

    def _message(self, items: Items, first_sample: int) -> tuple[Item, list[Event]]:
        """The open message, and the events that open it."""
        if self.message is not None:
            if not self.message.samples:
                self.message.first_sample = max(self.message.first_sample, first_sample)
            return self.message, []
        content: ContentType = "output_audio" if self._is_spoken else "output_text"
        item = Item(new_id("item"), "message", "assistant", content, status="in_progress", n=self.n)
        item.first_sample, item.words_before = first_sample, self.words_before
        self.message = item
        previous = items.add(item)
        self.output.append(item)
        part = {"type": "audio", "transcript": ""} if self._is_spoken else {"type": "text", "text": ""}
        opened = {"type": "response.content_part.added", **self._where(item), "part": part}
        return item, [*self._item_events("added", item, previous), opened]

    def _close(self, status: Status) -> list[Event]:
        """The open message is done."""
        item = self.message
        if item is None:
            return []
        self.message, item.status = None, status
        where = self._where(item)
        if self._is_spoken:
            said: list[Event] = [
                {"type": "response.output_audio.done", **where},
                {"type": "response.output_audio_transcript.done", **where, "transcript": item.text},
            ]
            part = {"type": "audio", "transcript": item.text}
        else:
            said = [{"type": "response.output_text.done", **where, "text": item.text}]
            part = {"type": "text", "text": item.text}
        closed = {"type": "response.content_part.done", **where, "part": part}
        return [*said, closed, *reversed(self._item_events("done", item, None))]

    def _item_events(self, what: Literal["added", "done"], item: Item, previous: str | None) -> list[Event]:
        """In the response, and in the conversation. Once it is done the place of an item is known."""
        place = {"previous_item_id": previous} if what == "added" or previous else {}
        index = self.output.index(item)
        return [
            {
                "type": f"response.output_item.{what}",
                "response_id": self.id,
                "output_index": index,
                "item": item.shown(),
            },
            {"type": f"conversation.item.{what}", "item": item.shown(), **place},
        ]
