"""Which events may a client send? Text of one WebSocket message to a checked event, or the refusal of it."""

import json
import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from voice_gateway.edges.realtime.refusals import INVALID_TYPE, INVALID_VALUE, MISSING, EventRefused, refusal
from voice_gateway.edges.realtime.session_models import (
    MAX_TEXT_CHARS,
    Format,
    FunctionTool,
    Name,
    NotServed,
    Part,
    SessionObject,
    ToolChoice,
    VoiceId,
)

Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]


class _Event(Part):
    event_id: Annotated[str, Field(max_length=512)] | None = None


class SessionUpdate(_Event):
    """The session shall be otherwise from now on."""

    type: Literal["session.update"]
    session: SessionObject


class AudioAppend(_Event):
    """More of the caller's audio, base64."""

    type: Literal["input_audio_buffer.append"]
    audio: str


class AudioCommit(_Event):
    """The caller's turn is over."""

    type: Literal["input_audio_buffer.commit"]


class AudioClear(_Event):
    """What came since the last commit is taken back."""

    type: Literal["input_audio_buffer.clear"]


class InputText(Part):
    """Text of a user or a system message."""

    type: Literal["input_text"]
    text: Text


class InputAudioPart(Part):
    """Audio in an item: not served; what was spoken goes through the input buffer."""

    type: Literal["input_audio"]
    audio: NotServed = None
    transcript: Text


class OutputText(Part):
    """Text of an assistant message."""

    type: Literal["output_text"]
    text: Text


class OutputAudio(Part):
    """An assistant message that was spoken, by its words."""

    type: Literal["output_audio"]
    audio: NotServed = None
    transcript: Text


class _Item(Part):
    id: Id | None = None
    object: Literal["realtime.item"] | None = None
    status: Literal["completed", "incomplete", "in_progress"] | None = None


class UserMessage(_Item):
    """What the user said."""

    type: Literal["message"]
    role: Literal["user"]
    content: list[Annotated[InputText | InputAudioPart, Field(discriminator="type")]] = Field(
        min_length=1, max_length=64
    )


class SystemMessage(_Item):
    """What the model is to know from here on."""

    type: Literal["message"]
    role: Literal["system"]
    content: list[InputText] = Field(min_length=1, max_length=64)


class AssistantMessage(_Item):
    """What the agent said."""

    type: Literal["message"]
    role: Literal["assistant"]
    content: list[Annotated[OutputText | OutputAudio, Field(discriminator="type")]] = Field(min_length=1, max_length=64)


class FunctionOutput(_Item):
    """The result of a function call."""

    type: Literal["function_call_output"]
    call_id: Id
    output: Text


Message: TypeAlias = Annotated[UserMessage | SystemMessage | AssistantMessage, Field(discriminator="role")]
NewItem: TypeAlias = Annotated[Message | FunctionOutput, Field(discriminator="type")]


class ItemCreate(_Event):
    """The conversation gets an item."""

    type: Literal["conversation.item.create"]
    previous_item_id: Id | None = None
    item: NewItem


class ItemTruncate(_Event):
    """The caller has heard so much of an item, and no more."""

    type: Literal["conversation.item.truncate"]
    item_id: Id
    content_index: Literal[0]
    audio_end_ms: int = Field(ge=0, le=10**9)


class ItemDelete(_Event):
    """An item leaves the conversation."""

    type: Literal["conversation.item.delete"]
    item_id: Id


class ItemRetrieve(_Event):
    """The client wants to see an item."""

    type: Literal["conversation.item.retrieve"]
    item_id: Id


class ResponseOutput(Part):
    """How one response is spoken."""

    format: Format | None = None
    voice: Name | VoiceId | None = None


class ResponseAudio(Part):
    """How one response is spoken."""

    output: ResponseOutput | None = None


class ResponseConfig(Part):  # size: the fields of the public schema
    """What holds for one response alone."""

    instructions: str | None = Field(None, max_length=MAX_TEXT_CHARS)
    audio: ResponseAudio | None = None
    output_modalities: list[Literal["text", "audio"]] | None = Field(None, min_length=1, max_length=1)
    tools: list[FunctionTool] | None = None
    tool_choice: ToolChoice | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=4096)] | Literal["inf"] | None = None
    metadata: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]] | None = Field(
        None, max_length=16
    )
    conversation: Literal["auto", "none"] | None = None
    input: list[dict[str, Any]] | None = None
    parallel_tool_calls: Literal[True] | None = None
    prompt: NotServed = None
    reasoning: NotServed = None


class ResponseCreate(_Event):
    """The client wants a response."""

    type: Literal["response.create"]
    response: ResponseConfig | None = None


class ResponseCancel(_Event):
    """The client wants silence."""

    type: Literal["response.cancel"]
    response_id: Id | None = None


class OutputClear(_Event):
    """The client wants silence, and what is under way dropped."""

    type: Literal["output_audio_buffer.clear"]


ClientEvent: TypeAlias = (
    SessionUpdate
    | AudioAppend
    | AudioCommit
    | AudioClear
    | ItemCreate
    | ItemTruncate
    | ItemDelete
    | ItemRetrieve
    | ResponseCreate
    | ResponseCancel
    | OutputClear
)
_ADAPTER: TypeAdapter[ClientEvent] = TypeAdapter(Annotated[ClientEvent, Field(discriminator="type")])
TYPES = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.truncate",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _is_unicode(raw: object) -> bool:
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def read(text: str) -> tuple[str | None, Any]:
    """The event's id, where it has one, and the event as JSON. Raises EventRefused."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise EventRefused("invalid_json", "the message is no JSON; send one JSON object a message") from None
    if _SURROGATE.search(text) and not _is_unicode(raw):
        raise EventRefused(INVALID_VALUE, "the message holds half a character (a lone surrogate); send valid Unicode")
    if not isinstance(raw, dict):
        raise EventRefused(INVALID_TYPE, "the message is no JSON object; send an event with a type")
    event_id = raw.get("event_id")
    return (event_id if isinstance(event_id, str) else None), raw


def checked(raw: dict[str, Any]) -> ClientEvent:
    """The event. Raises EventRefused."""
    kind = raw.get("type")
    if kind is None:
        raise EventRefused(MISSING, "Missing required parameter: 'type'.", "type")
    if kind not in TYPES:
        raise EventRefused(
            INVALID_VALUE, f"Invalid value: {str(kind)[:64]!r}. Supported values are: {', '.join(TYPES)}.", "type"
        )
    try:
        return _ADAPTER.validate_python(raw)
    except ValidationError as error:
        raise refusal(error, raw) from None
