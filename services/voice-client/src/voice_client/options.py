"""What may a caller ask for when a call begins?"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from inspect import Parameter, cleandoc, signature
from pathlib import Path
from typing import Any, get_type_hints

from google.protobuf.struct_pb2 import Struct
from pcm import AudioFormat, Encoding
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_client.errors import BadRequest

INPUT_HZ = 16000
"""The rate the gateway itself works in: audio sent so is not resampled on the way."""

ENCODINGS = {
    Encoding.PCM16: pb.AUDIO_ENCODING_PCM16,
    Encoding.MULAW: pb.AUDIO_ENCODING_MULAW,
    Encoding.ALAW: pb.AUDIO_ENCODING_ALAW,
}


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: the authority that signed the gateway, and our own certificate where it wants one."""

    root_ca: Path | None = None
    """None = the authorities that gRPC ships with."""
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""
    """The name the gateway's certificate must hold, where it is not the one that is dialled (a forwarded port)."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How hard a dropped call is tried again: delays double from `first_s` to `longest_s`, until `deadline_s`."""

    first_s: float = 0.1
    longest_s: float = 5.0
    deadline_s: float = 60.0
    """Since the drop; the life of the resume token is a limit too."""


_SCHEMA_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the caller's that the language model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """JSON schema of the arguments."""
    side_effects: bool = False
    """It changes something in the world; the gateway remembers that it was called whatever becomes of the reply."""
    timeout_s: float = 0.0
    """Longest wait for the result; 0 = as the gateway is set."""
    run: Callable[..., Any] | None = field(default=None, compare=False)
    """Carries it out: called with the arguments by name, as a coroutine or in a thread. None = answer its ToolCalls
    yourself, with `Call.answer_tool`."""

    @classmethod
    def of(cls, run: Callable[..., Any], *, side_effects: bool = False, timeout_s: float = 0.0) -> "Tool":
        """A tool from a function: its name, its docstring, and its parameters, which are text, numbers or truth values.

        Raises TypeError for a parameter that is something else."""
        properties, required = {}, []
        hints = get_type_hints(run)
        for name, parameter in signature(run).parameters.items():
            if hints.get(name) not in _SCHEMA_TYPES:
                raise TypeError(f"{run.__name__}: the parameter {name} must be annotated as str, int, float or bool")
            properties[name] = {"type": _SCHEMA_TYPES[hints[name]]}
            if parameter.default is Parameter.empty:
                required.append(name)
        schema = {"type": "object", "properties": properties, "required": required}
        return cls(run.__name__, cleandoc(run.__doc__ or ""), schema, side_effects, timeout_s, run)


@dataclass(frozen=True, slots=True)
class Llm:
    """None keeps the operator's value."""

    temperature: float | None = None
    max_tokens: int | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Endpointing:
    """Seconds, but for words; None keeps the operator's value."""

    end_silence_s: float | None = None
    max_silence_s: float | None = None
    barge_in_after_s: float | None = None
    max_turn_s: float | None = None
    end_on_final: bool | None = None
    complete_silence_s: float | None = None
    incomplete_silence_s: float | None = None
    reading_silence_s: float | None = None
    barge_in_words: int | None = None


@dataclass(frozen=True, slots=True)
class CallOptions:
    """Everything about a call that is fixed when it begins. "" and None mean: as the gateway is set."""

    input: AudioFormat = field(default_factory=lambda: AudioFormat(Encoding.PCM16, INPUT_HZ))
    """What goes over the wire; `send_audio` takes PCM16 at this rate."""
    output: AudioFormat | None = None
    """What comes over the wire; `ReplyAudio` holds PCM16 at this rate."""
    language: str = ""
    voice: str = ""
    system_prompt: str = ""
    greeting: str = ""
    push_to_talk: bool = False
    """True: only `commit` ends a turn, only `interrupt` stops a reply."""
    hotwords: Mapping[str, float] = field(default_factory=dict)
    """Phrase to boost; 0 = the recogniser's default."""
    llm: Llm = Llm()
    endpointing: Endpointing = Endpointing()
    tools: tuple[Tool, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    tls: Tls | None = None
    token_file: Path | None = None
    """A bearer token; read anew for every stream, for tokens that are rotated."""
    token: str = ""
    connect_timeout_s: float = 10.0
    """For one attempt to begin a call."""
    admission_timeout_s: float = 10.0
    """How long `connect` goes on trying while gateways refuse for a moment: UNAVAILABLE with a time to come back, as
    one that drains says, or for about two seconds RESOURCE_EXHAUSTED, as a full one says. Each attempt is a new
    connection, so that it may reach another gateway. 0 = one attempt."""
    close_timeout_s: float = 5.0
    """How long `end` waits for the gateway's SessionEnded."""
    silent_link_s: float = 20.0
    """A stream that acknowledges nothing we sent for so long is taken as dropped."""
    reconnect: Reconnect = Reconnect()


def session_start(options: CallOptions) -> pb.SessionStart:
    """The first message of a call with `options`."""
    return pb.SessionStart(
        input=audio_format(options.input),
        output=audio_format(options.output) if options.output else None,
        language=options.language,
        voice=options.voice,
        system_prompt=options.system_prompt,
        greeting=options.greeting,
        turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK if options.push_to_talk else pb.TURN_DETECTION_SERVER,
        hotwords=[pb.Hotword(phrase=phrase, boost=boost) for phrase, boost in options.hotwords.items()],
        llm=pb.LlmOptions(**asdict(options.llm)),
        endpointing=pb.EndpointingOptions(**asdict(options.endpointing)),
        tools=[tool_of(tool) for tool in options.tools],
        metadata=dict(options.metadata),
        sends_heartbeats=True,
    )


def audio_format(audio: AudioFormat) -> pb.AudioFormat:
    """`audio` on the wire."""
    return pb.AudioFormat(encoding=ENCODINGS[audio.encoding], sample_rate_hz=audio.rate_hz, channels=1)


def agreed_format(audio: pb.AudioFormat) -> AudioFormat:
    """What the gateway agreed to; unspecified encoding means PCM16, as the contract says.

    Raises:
        BadRequest: a format this client can't speak.
    """
    by_number = {number: encoding for encoding, number in ENCODINGS.items()}
    encoding = by_number.get(audio.encoding or pb.AUDIO_ENCODING_PCM16)
    if encoding is None or not audio.sample_rate_hz:
        raise BadRequest(
            f"the gateway agreed to encoding {audio.encoding} at {audio.sample_rate_hz} Hz, which this client "
            "can't play; ask for pcm16, mulaw or alaw and name a rate"
        )
    return AudioFormat(encoding, audio.sample_rate_hz)


def tool_of(tool: Tool) -> pb.Tool:
    """`tool` on the wire."""
    parameters = Struct()
    parameters.update(dict(tool.parameters))
    return pb.Tool(
        name=tool.name,
        description=tool.description,
        parameters=parameters,
        side_effects=tool.side_effects,
        timeout_s=tool.timeout_s,
    )
