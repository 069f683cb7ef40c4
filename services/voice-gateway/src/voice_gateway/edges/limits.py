"""What may a peer send, ask for and hold?"""

from dataclasses import dataclass

from voice_gateway.core.events import SETTABLE
from voice_gateway.core.hotwords import MAX_BOOST, MAX_CHARS, MAX_HOTWORDS


@dataclass(frozen=True, slots=True)
class Limits:
    """All bounds of the gRPC port. docs/limits.md lists them with their errors and tests."""

    max_audio_s: float = 1.0
    max_ahead_s: float = 5.0
    """Audio further ahead of real time than this is at a wrong rate, or a file poured in."""
    max_unread_s: float = 10.0
    """A stream whose caller reads nothing for so long is closed."""
    max_message_bytes: int = 512 * 1024
    """The largest SessionStart within the limits below, in four bytes a character, still fits."""
    max_text_chars: int = 16384
    """Of a typed turn, a system prompt, a greeting, a tool's result, and of all words of one turn."""
    max_name_chars: int = 128
    """Of a language, a voice, a model."""
    max_hotwords: int = MAX_HOTWORDS
    """Of a caller; as many of the operator's (ASR_HOTWORDS) come on top."""
    max_hotword_chars: int = MAX_CHARS
    max_boost: float = MAX_BOOST
    max_metadata: int = 32
    max_metadata_key_chars: int = 64
    max_metadata_value_chars: int = 512
    max_tools: int = 64
    """A client's, in one call."""
    max_tool_description_chars: int = 1024
    max_tool_schemas_chars: int = 64 * 1024
    """Of all schemas of a client's tools together."""
    max_tool_timeout_s: float = 60.0
    tool_timeout_s: float = 10.0
    """Of a client's tool that names none: TOOL_TIMEOUT_S."""
    max_input_ahead_s: float = 60.0
    """A playout report may name an input sample so far after the last one that came."""
    max_waiting_streams: int = 128
    """Streams that have not said yet what they are."""
    refusal_delay_s: float = 0.2
    """A wrong token is told after so long: the status does not overtake the first message, and guessing is slow."""
    max_delayed_refusals: int = 512
    max_checks: int = 64
    max_watches: int = 64
    """Health.Watch and reflection: these need no token."""
    interim_s: float = 0.2
    """Between two partials of a transcription stream that asks for nothing else: TRANSCRIBE_INTERIM_MS."""
    idle_s: float = 60.0
    """A transcription stream that brings nothing for so long is ended: TRANSCRIBE_IDLE_S."""
    max_held_back_s: float = 300.0
    """A transcription client may send faster than real time for so long; then its stream is ended:
    TRANSCRIBE_MAX_HELD_BACK_S."""
    max_behind_s: float = 10.0
    """With so much audio waiting for the recogniser, a transcription client is held back ..."""
    max_behind_for_s: float = 30.0
    """... for so long at most; then its stream is ended."""
    messages_per_s: float = 250.0
    messages_burst: int = 1000
    message_unit_bytes: int = 16 * 1024
    """A message counts once for each of these."""
    typed_turns_per_s: float = 1.0
    typed_turns_burst: int = 10
    errors_per_s: float = 2.0
    errors_burst: int = 50
    """Bad messages of one call that are told one by one."""
    max_seq_leap: int = 100_000
    operator_tools: frozenset[str] = frozenset()
    """Names that no tool of a client's may have."""
    may_set: frozenset[str] = SETTABLE
    """What a caller may choose otherwise than the operator: CALLER_MAY_SET."""
