"""What does a caller's message mean? voice_workflow.v1 to core events; what is out of range gets a sentence."""

import math
from dataclasses import dataclass, replace
from typing import Any

from pcm import AudioFormat, Encoding
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import INPUT_RATE_HZ, CallOptions, LlmOptions
from voice_gateway.core.floor import Policy
from voice_gateway.edges.door import Limits
from voice_gateway.errors import BadRequest, Unsupported

ENCODINGS = {
    pb.AUDIO_ENCODING_UNSPECIFIED: Encoding.PCM16,
    pb.AUDIO_ENCODING_PCM16: Encoding.PCM16,
    pb.AUDIO_ENCODING_MULAW: Encoding.MULAW,
    pb.AUDIO_ENCODING_ALAW: Encoding.ALAW,
}


@dataclass(frozen=True, slots=True)
class Agreed:
    """What SessionStart asked for, after checking."""

    options: CallOptions
    input: AudioFormat
    output: AudioFormat


def agree(start: pb.SessionStart, defaults: CallOptions, limits: Limits) -> Agreed:
    """Options and formats of a new call. Raises BadRequest or Unsupported."""
    if start.tools:
        raise Unsupported("tools are not served by this gateway yet; leave SessionStart.tools empty")
    if len(start.hotwords) > limits.max_hotwords:
        raise BadRequest(f"{len(start.hotwords)} hotwords are too many; send at most {limits.max_hotwords}")
    if len(start.metadata) > limits.max_metadata:
        raise BadRequest(f"{len(start.metadata)} metadata entries are too many; send at most {limits.max_metadata}")
    if not all(math.isfinite(word.boost) for word in start.hotwords):
        raise BadRequest("a hotword's boost is no finite number; send 0 for the default, or 20 to 100")
    _check_length("system_prompt", start.system_prompt, limits)
    _check_length("greeting", start.greeting, limits)
    greeting = start.greeting or defaults.greeting
    policy = _policy(defaults.policy, start.endpointing, start.turn_detection)
    options = replace(
        defaults,
        language=start.language or defaults.language,
        voice=start.voice or defaults.voice,
        system_prompt=start.system_prompt or defaults.system_prompt,
        llm=_llm(defaults.llm, start.llm),
        policy=replace(policy, greets=bool(greeting)),
        greeting=greeting,
        hotwords=tuple((word.phrase, word.boost) for word in start.hotwords),
        metadata=tuple(start.metadata.items()),
    )
    return Agreed(
        options,
        _format("input", start.input, INPUT_RATE_HZ),
        _format("output", start.output, defaults.output_rate_hz),
    )


def update(options: CallOptions, message: pb.SessionUpdate, limits: Limits) -> CallOptions:
    """The options after a SessionUpdate. Raises BadRequest or Unsupported; nothing changes then."""
    if message.tools or message.replace_tools:
        raise Unsupported("tools are not served by this gateway yet; leave SessionUpdate.tools empty")
    if message.HasField("language") and message.language != options.language:
        raise Unsupported("the language can't change during a call yet; start a new session")
    _check_length("system_prompt", message.system_prompt, limits)
    return replace(
        options,
        voice=message.voice if message.HasField("voice") else options.voice,
        system_prompt=message.system_prompt if message.HasField("system_prompt") else options.system_prompt,
        llm=_llm(options.llm, message.llm),
        policy=_policy(options.policy, message.endpointing, message.turn_detection),
    )


def typed_text(message: pb.Text, limits: Limits) -> str:
    """A typed turn. Raises BadRequest."""
    _check_length("text", message.text, limits)
    if not message.text.strip():
        raise BadRequest("text is empty; send at least one word")
    return message.text


def _format(name: str, wire: pb.AudioFormat, default_rate_hz: int) -> AudioFormat:
    if wire.encoding not in ENCODINGS:
        raise Unsupported(f"{name}: this encoding is not served yet; send PCM16, MULAW or ALAW")
    if wire.channels > 1:
        raise BadRequest(f"{name}: {wire.channels} channels; mix to mono and send channels = 1")
    rate_hz = wire.sample_rate_hz or default_rate_hz
    if not 8_000 <= rate_hz <= 48_000:
        raise BadRequest(f"{name}: {rate_hz} Hz is out of range; send 8000 to 48000")
    return AudioFormat(ENCODINGS[wire.encoding], rate_hz)


def _llm(options: LlmOptions, wire: pb.LlmOptions) -> LlmOptions:
    temperature = _within("llm.temperature", wire.temperature, 0, 2) if wire.HasField("temperature") else None
    max_tokens = _within("llm.max_tokens", wire.max_tokens, 1, 4096) if wire.HasField("max_tokens") else None
    return LlmOptions(
        wire.model or options.model,
        options.temperature if temperature is None else temperature,
        options.max_tokens if max_tokens is None else round(max_tokens),
    )


_RANGES = {
    "end_silence_s": ("end_silence", 0.0, 5.0),
    "max_silence_s": ("max_silence", 0.1, 10.0),
    "barge_in_after_s": ("barge_in_after", 0.0, 2.0),
    "max_turn_s": ("max_turn", 1.0, 600.0),
}


def _policy(policy: Policy, wire: pb.EndpointingOptions, detection: pb.TurnDetection.ValueType) -> Policy:
    changes: dict[str, Any] = {}
    for name, (field, low, high) in _RANGES.items():
        if wire.HasField(name):  # type: ignore[arg-type]  # the names are the message's own
            changes[field] = _within(f"endpointing.{name}", getattr(wire, name), low, high)
    if wire.HasField("end_on_final"):
        changes["end_on_final"] = wire.end_on_final
    if detection not in pb.TurnDetection.values():
        raise BadRequest(f"turn_detection = {detection} is not known; send SERVER or PUSH_TO_TALK")
    if detection != pb.TURN_DETECTION_UNSPECIFIED:
        changes["decides"] = detection == pb.TURN_DETECTION_SERVER
    return replace(policy, **changes)


def _within(name: str, value: float, low: float, high: float) -> float:
    if math.isnan(value) or not low <= value <= high:
        raise BadRequest(f"{name} = {value:g} is out of range; send {low:g} to {high:g}")
    return value


def _check_length(name: str, text: str, limits: Limits) -> None:
    if len(text) > limits.max_text_chars:
        raise BadRequest(f"{name} has {len(text)} characters; send at most {limits.max_text_chars}")
