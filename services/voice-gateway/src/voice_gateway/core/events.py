"""Everything a caller can do, and everything a caller is told. Edges translate their wire to and from this page.

Sample numbers are at the call's own rates: INPUT_RATE_HZ in, the call's output rate out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from voice_gateway.core.conversation import Role
from voice_gateway.core.tools import AUTO, Tool, ToolUse
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import Cause

INPUT_RATE_HZ = 16_000
"""Rate of the caller's audio inside a call."""


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """How the language model is asked."""

    model: str
    temperature: float
    max_tokens: int


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What was agreed when the call started, or later by an update."""

    language: str
    voice: str
    system_prompt: str
    llm: LlmOptions
    policy: Policy
    output_rate_hz: int
    greeting: str = ""
    hotwords: tuple[tuple[str, float], ...] = ()
    asr_language: str = ""
    """What recognition calls the language; "" = as it is."""
    asr_model: str = ""
    """"" = the server chooses."""
    tts_language: str = ""
    """What synthesis calls the language; "" = as it is."""
    metadata: tuple[tuple[str, str], ...] = field(default=())
    tools: tuple[Tool, ...] = ()
    """Those that the caller's client carries out; the operator's own come on top."""
    tool_use: ToolUse = AUTO
    """What the first answer of a reply may or must call."""
    answers: bool = True
    """False: a turn that ends is remembered, and answered when the caller's client asks for a reply."""
    speaks: bool = True
    """False: replies are text only."""
    speech_threshold: float = 0.0
    """Probability of the voice activity detector from which speech starts; 0 = the operator's (VAD_START)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as the edge knows."""

    identity: str = ""
    """The name behind the token that was shown; "" = none was asked for."""
    trace_id: str = ""
    """Of the caller's trace (W3C Trace Context, 32 hexadecimal digits); "" = none."""
    sends_heartbeats: bool = False
    """Some message comes at least every 0.5 s; when none does, the link stands still."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """What its token says in place of the operator's limits for each caller, by their names."""


SETTABLE = frozenset(
    [
        "language",
        "voice",
        "system_prompt",
        "greeting",
        "model",
        "temperature",
        "max_tokens",
        "hotwords",
        "endpointing",
        "turn_detection",
        "tools",
    ]
)
"""What a caller can choose otherwise than the operator, where the operator lets them."""

# -------------------------------------------------------------------------------- what a caller does


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """PCM16 at INPUT_RATE_HZ."""

    pcm16: bytes


@dataclass(frozen=True, slots=True)
class PlayoutReported:
    """The caller has played `samples` of reply `n`; `input_sample` was recorded at that moment."""

    n: int
    samples: int
    input_sample: int
    final: bool


@dataclass(frozen=True, slots=True)
class ReplyTruncated:
    """The caller has heard `audio_ms` milliseconds of reply `n` and will hear no more: it stops."""

    n: int
    audio_ms: int


@dataclass(frozen=True, slots=True)
class TextTyped:
    """A typed turn."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """Push-to-talk: the turn is over."""


@dataclass(frozen=True, slots=True)
class ReplyRequested:
    """The caller's client wants a reply to the conversation as it is; while a reply has the floor it is not taken."""

    options: CallOptions | None = None
    """Of this reply alone; None = what holds."""


@dataclass(frozen=True, slots=True)
class InputDiscarded:
    """What was said of the turn that goes on shall count as not said."""


@dataclass(frozen=True, slots=True)
class EntryAdded:
    """The conversation gets an entry that nobody spoke: `id` names it (above 0). Nothing is answered by it."""

    id: int
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class ExchangeEdited:
    """The conversation is to hold other words of exchange `n`, or of the entry `id`; None = as they are."""

    n: int
    id: int = 0
    words: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class InterruptRequested:
    """The caller wants silence."""


@dataclass(frozen=True, slots=True)
class OptionsChanged:
    """Holds from the next reply on."""

    options: CallOptions


@dataclass(frozen=True, slots=True)
class CallerEnded:
    """The caller hangs up."""


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """The client has carried out the call `id`, or (`failed`) could not."""

    id: str
    content: str
    failed: bool = False


CallerEvent: TypeAlias = (
    CallerAudio
    | PlayoutReported
    | ReplyTruncated
    | TextTyped
    | TurnCommitted
    | ReplyRequested
    | InputDiscarded
    | EntryAdded
    | ExchangeEdited
    | InterruptRequested
    | OptionsChanged
    | ToolAnswered
    | CallerEnded
)

# ---------------------------------------------------------------------------- what a caller is told


@dataclass(frozen=True, slots=True)
class WordTime:
    """A word and when it was said, seconds since the call began."""

    text: str
    start_s: float
    end_s: float
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Transcribed:
    """What the recogniser understood."""

    turn: int
    utterance: int
    text: str
    final: bool
    stability: float = 0.0
    words: tuple[WordTime, ...] = ()
    first_sample: int = 0
    last_sample: int = 0


class TurnKind(Enum):
    """What happened to the floor."""

    SPEECH_STARTED = "speech started"
    SPEECH_STOPPED = "speech stopped"
    TURN_ENDED = "turn ended"
    TURN_EMPTY = "turn empty"
    """The caller committed a turn in which nothing was said."""
    REPLY_STARTED = "reply started"
    REPLY_HELD = "reply held"
    REPLY_RESUMED = "reply resumed"
    REPLY_RETRACTED = "reply retracted"
    REPLY_INTERRUPTED = "reply interrupted"
    REPLY_ENDED = "reply ended"
    REPLY_TRUNCATED = "reply truncated"


@dataclass(frozen=True, slots=True)
class TurnChanged:
    """The floor moved; `decided_at` is the process's monotonic clock."""

    kind: TurnKind
    turn: int
    decided_at: float
    reply: int = 0
    sample: int = 0
    text: str = ""
    heard_text: str = ""
    heard_ms: int = 0
    cause: Cause | None = None
    """Of a reply that started."""
    answer: int = 0
    """Of a turn that ended: the number of the reply to it, and of its exchange in the history."""


@dataclass(frozen=True, slots=True)
class ReplyText:
    """More of the reply's text."""

    n: int
    delta: str


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """More of the reply's audio: PCM16 at the call's output rate, from sample `offset` on."""

    n: int
    offset: int
    pcm16: bytes


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The client is to carry out a tool of its own for reply `n`; `arguments` is a JSON object."""

    id: str
    n: int
    name: str
    arguments: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class ToolCallCancelled:
    """Nobody waits for the result of call `id` any more."""

    id: str


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """How long the parts of a turn took, seconds; a name that is missing did not happen."""

    turn: int
    n: int
    latencies: dict[str, float]


class Failure(Enum):
    """What went wrong, as one word for the wire and the metrics."""

    BAD_REQUEST = "bad_request"
    UNSUPPORTED = "unsupported"
    ASR_UNAVAILABLE = "asr_unavailable"
    ASR_TIMEOUT = "asr_timeout"
    ASR_BROKEN = "asr_broken"
    LLM_UNAVAILABLE = "llm_unavailable"
    LLM_TIMEOUT = "llm_timeout"
    LLM_BROKEN = "llm_broken"
    TTS_UNAVAILABLE = "tts_unavailable"
    TTS_TIMEOUT = "tts_timeout"
    TTS_BROKEN = "tts_broken"
    OVERLOADED = "overloaded"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong; the call goes on unless `fatal`."""

    failure: Failure
    sentence: str
    retryable: bool = False
    retry_after_s: float = 0.0
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class GoAway:
    """This gateway will close the call in `deadline_s`."""

    reason: str
    deadline_s: float


class EndReason(Enum):
    """Why a call is over."""

    CALLER_ENDED = "caller ended"
    IDLE = "idle"
    MAX_DURATION = "max duration"
    DRAINED = "drained"
    FAILED = "failed"
    CALLER_GONE = "caller gone"


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The last word."""

    reason: EndReason
    sentence: str = ""


SessionEvent: TypeAlias = (
    Transcribed
    | TurnChanged
    | ReplyText
    | ReplyAudio
    | ToolCalled
    | ToolCallCancelled
    | TurnMeasured
    | Failed
    | GoAway
    | CallEnded
)
