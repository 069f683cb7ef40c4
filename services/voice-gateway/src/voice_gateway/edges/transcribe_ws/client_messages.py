"""What may a client of the transcription WebSocket send, and ask for? Checked; what is wrong gets one sentence."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from voice_gateway.errors import BadRequest

_SHOWN_CHARS = 60


class StreamOptions(BaseModel):
    """Options of a stream, each with its default; in the query of the address, and in `start`, which wins."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str = Field("", max_length=128, description="language of the audio, such as en-US; empty = the gateway's")
    model: str = Field("", max_length=128, description="model of the recogniser; empty = the language's")
    sample_rate: int = Field(16_000, ge=8_000, le=48_000, description="samples a second of the audio, Hz")
    encoding: Literal["pcm16", "float32"] = Field(
        "pcm16", description="samples of the audio, mono, little-endian: 16-bit integers, or 32-bit floats of -1 to 1"
    )
    interim: bool = Field(True, description="send partials; false = finals only")
    interim_ms: int | None = Field(
        None, ge=50, le=5_000, description="time between two partials while somebody speaks, ms; null = the gateway's"
    )
    words: bool = Field(True, description="finals list their words with times")
    punctuation: bool = Field(True, description="punctuation and capitals, where the model has them")
    hotwords: str = Field(
        "",
        max_length=65_536,
        description="phrases to expect, with a boost each, such as Parakeet: 30, New York: 20; without a number the "
        "recogniser's own boost",
    )
    max_silence_ms: int | None = Field(
        None, ge=100, le=10_000, description="silence after which an utterance gets its final, ms; null = the gateway's"
    )
    resume_token: str | None = Field(
        None, max_length=256, description="reserved: a stream that broke can't be taken up again yet; leave it out"
    )


class StartMessage(StreamOptions):
    """The first message of a client that has options to send."""

    type: Literal["start"] = "start"


class AudioMessage(BaseModel):
    """Audio of a client that sends text only; binary messages hold the bytes themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["audio"] = "audio"
    audio: str = Field(description="bytes of the samples, in base64")


class FlushMessage(BaseModel):
    """Asks for the final of what was said so far; the stream goes on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["flush"] = "flush"


class EndMessage(BaseModel):
    """No more audio comes: the last final is sent, then `ended`, then the close."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["end"] = "end"


ClientMessage: TypeAlias = Annotated[
    StartMessage | AudioMessage | FlushMessage | EndMessage, Field(discriminator="type")
]
CLIENT_MESSAGES: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)
_OPTIONS = ", ".join(StreamOptions.model_fields)
_TYPES = "start, audio, flush or end"


def options_of(query: Mapping[str, str]) -> StreamOptions:
    """The options in an address. Raises BadRequest."""
    try:
        return StreamOptions.model_validate(dict(query))
    except ValidationError as error:
        raise BadRequest(_sentence(error, "in the address")) from None


def read_message(text: str) -> ClientMessage:
    """A message of text. Raises BadRequest."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest(f"this message is no JSON; send an object with the type {_TYPES}") from None
    if not isinstance(found, dict) or "type" not in found:
        raise BadRequest(f"a message is a JSON object with a type; send {_TYPES}")
    try:
        return CLIENT_MESSAGES.validate_python(found, strict=True)
    except ValidationError as error:
        raise BadRequest(_sentence(error, "in this message")) from None


def merged(query: StreamOptions, start: StartMessage) -> StreamOptions:
    """The options of the address, and over them those of the start message."""
    return query.model_copy(update=start.model_dump(exclude_unset=True, exclude={"type"}))


def audio_bytes(message: AudioMessage) -> bytes:
    """Raises BadRequest."""
    try:
        return base64.b64decode(message.audio, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("audio is no base64; encode the bytes of the samples in base64") from None


def _sentence(error: ValidationError, where: str) -> str:
    """What is wrong first, and what to send instead. Values are shown, and they are the client's own."""
    first = error.errors()[0]
    path = [step for step in first["loc"] if isinstance(step, str)]
    kind, name = first["type"], path[-1] if path else "type"
    if kind.startswith("union_tag"):
        return f"{_shown(first['input'].get('type'))} is no type of a message; send {_TYPES}"
    if kind == "extra_forbidden":
        known = _OPTIONS if path[0] == "start" or len(path) == 1 else "audio" if path[0] == "audio" else "the type only"
        return f"{_shown(name)} {where} is not known; send some of: {known}"
    if kind == "missing":
        return f"{name} is missing {where}"
    return f"{name} {where}: {first['msg']} (got {_shown(first['input'])})"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
