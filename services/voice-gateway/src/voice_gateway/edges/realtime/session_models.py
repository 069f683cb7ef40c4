"""Which fields may a session object have? The public schema of session.update, with what this gateway adds.

Models of our own, and not those of the `openai` package: those take any field and any value, because they read what
OpenAI sends; these refuse what is not known, so that nothing is silently ignored. A test compares the fields of both.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

MAX_TEXT_CHARS = 16384
"""Of instructions."""
Name = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


def _not_served(value: Any) -> None:
    if value is not None:
        raise PydanticCustomError("not_served", "this is not served by this gateway; leave it out, or send null")


NotServed = Annotated[None, BeforeValidator(_not_served)]
"""A field of the public schema that can only be null here."""


def _not_changed(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and value != 1:
        raise PydanticCustomError("not_served", "the speed of speech is not served by this gateway; send 1")
    return value


Speed = Annotated[float | None, BeforeValidator(_not_changed)]


class Part(BaseModel):
    """An object of the wire."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Pcm(Part):
    """PCM16 at 24 kHz."""

    type: Literal["audio/pcm"]
    rate: Literal[24000] = 24000


class Mulaw(Part):
    """G.711 µ-law at 8 kHz."""

    type: Literal["audio/pcmu"]


class Alaw(Part):
    """G.711 A-law at 8 kHz."""

    type: Literal["audio/pcma"]


Format: TypeAlias = Annotated[Pcm | Mulaw | Alaw, Field(discriminator="type")]


class Transcription(Part):
    """How the caller's speech is transcribed."""

    model: Name | None = None
    language: Name | None = None
    prompt: NotServed = None
    delay: NotServed = None
    keywords: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(None, max_length=500)
    languages: NotServed = None


class ServerVad(Part):
    """Turns end after a silence."""

    type: Literal["server_vad"]
    threshold: float | None = Field(None, gt=0, le=1)
    prefix_padding_ms: int | None = Field(None, ge=0, le=5000)
    silence_duration_ms: int | None = Field(None, ge=0, le=5000)
    create_response: bool | None = None
    interrupt_response: bool | None = None
    idle_timeout_ms: int | None = Field(None, ge=5000, le=30_000)


class SemanticVad(Part):
    """Turns end as their words do."""

    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


Detection: TypeAlias = Annotated[ServerVad | SemanticVad, Field(discriminator="type")]


class AudioInput(Part):
    """What the client sends."""

    format: Format | None = None
    noise_reduction: NotServed = None
    transcription: Transcription | None = None
    turn_detection: Detection | None = None


class VoiceId(Part):
    """A voice by its id."""

    id: Name


class AudioOutput(Part):
    """What the client gets."""

    format: Format | None = None
    speed: Speed = None
    voice: Name | VoiceId | None = None


class Audio(Part):
    """Both directions."""

    input: AudioInput | None = None
    output: AudioOutput | None = None


class TranscriptionAudio(Part):
    """One direction."""

    input: AudioInput | None = None


class FunctionTool(Part):
    """A function that the client carries out."""

    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ChosenFunction(Part):
    """The one function that must be called."""

    type: Literal["function"]
    name: Name


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | ChosenFunction


class Trace(Part):
    """Names for the call's lines in the log."""

    workflow_name: Name | None = None
    group_id: Name | None = None
    metadata: dict[str, Any] | None = None


class Endpointing(Part):
    """When a turn ends and a reply is interrupted, in the gateway's own numbers; seconds."""

    end_silence_s: float | None = Field(None, ge=0, le=5)
    max_silence_s: float | None = Field(None, ge=0.1, le=10)
    complete_silence_s: float | None = Field(None, ge=0, le=5)
    incomplete_silence_s: float | None = Field(None, ge=0, le=10)
    reading_silence_s: float | None = Field(None, ge=0, le=10)
    barge_in_after_s: float | None = Field(None, ge=0, le=2)
    barge_in_words: int | None = Field(None, ge=0, le=20)
    max_turn_s: float | None = Field(None, ge=1, le=600)


class Hotword(Part):
    """A phrase that recognition is to expect."""

    phrase: str = Field(min_length=1, max_length=100)
    boost: float = Field(0.0, ge=-1000, le=1000)


class VoiceWorkflow(Part):
    """What this gateway has beyond the public schema."""

    language: Name | None = None
    hotwords: list[Hotword] | None = Field(None, max_length=500)
    greeting: str | None = Field(None, max_length=MAX_TEXT_CHARS)
    temperature: float | None = Field(None, ge=0, le=2)
    endpointing: Endpointing | None = None
    events: bool | None = None


class RealtimeFields(Part):  # size: the fields of the public schema
    """A session that answers."""

    type: Literal["realtime"]
    model: Name | None = None
    instructions: str | None = Field(None, max_length=MAX_TEXT_CHARS)
    audio: Audio | None = None
    output_modalities: list[Literal["text", "audio"]] | None = Field(None, min_length=1, max_length=1)
    tools: list[FunctionTool] | None = None
    tool_choice: ToolChoice | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=4096)] | Literal["inf"] | None = None
    parallel_tool_calls: Literal[True] | None = None
    truncation: Literal["auto"] | None = None
    tracing: Literal["auto"] | Trace | None = None
    include: Annotated[list[str], Field(max_length=0)] | None = None
    prompt: NotServed = None
    reasoning: NotServed = None
    voice_workflow: VoiceWorkflow | None = None


class TranscriptionFields(Part):
    """A session that only transcribes."""

    type: Literal["transcription"]
    audio: TranscriptionAudio | None = None
    include: Annotated[list[str], Field(max_length=0)] | None = None
    voice_workflow: VoiceWorkflow | None = None


SessionObject: TypeAlias = Annotated[RealtimeFields | TranscriptionFields, Field(discriminator="type")]
