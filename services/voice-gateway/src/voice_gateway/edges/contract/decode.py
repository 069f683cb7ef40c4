"""What does a caller's message mean? voice_workflow.v1 to core events; what is out of range gets a sentence."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pcm import AudioFormat, Encoding
from voice_workflow.v1 import voice_workflow_pb2 as pb

from voice_gateway.core.events import INPUT_RATE_HZ, CallOptions, LlmOptions, ToolAnswered
from voice_gateway.core.hotwords import joined
from voice_gateway.core.turn_policy import Policy
from voice_gateway.edges.contract.tool_declarations import declared_tools
from voice_gateway.edges.held_call import CallRequest
from voice_gateway.edges.limits import Limits
from voice_gateway.errors import BadRequest, Forbidden, Unsupported

T = TypeVar("T")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

ENCODINGS = {
    pb.AUDIO_ENCODING_UNSPECIFIED: Encoding.PCM16,
    pb.AUDIO_ENCODING_PCM16: Encoding.PCM16,
    pb.AUDIO_ENCODING_MULAW: Encoding.MULAW,
    pb.AUDIO_ENCODING_ALAW: Encoding.ALAW,
}


def agree(start: pb.SessionStart, defaults_in: Callable[[str], CallOptions], limits: Limits) -> CallRequest:
    """Options and formats of a new call; `defaults_in` a language is what a caller gets who asks for nothing else.
    Raises BadRequest, Forbidden or Unsupported."""
    _check_start(start, limits)
    allowed = _CallerChoices(limits)
    defaults = defaults_in(start.language)
    allowed.one("language", defaults.language, defaults_in("").language)
    greeting = allowed.one("greeting", start.greeting or defaults.greeting, defaults.greeting)
    policy = allowed.policy(defaults.policy, start.endpointing, start.turn_detection)
    hotwords = tuple((word.phrase, word.boost) for word in start.hotwords)
    options = replace(
        defaults,
        voice=allowed.one("voice", start.voice or defaults.voice, defaults.voice),
        system_prompt=allowed.one(
            "system_prompt", start.system_prompt or defaults.system_prompt, defaults.system_prompt
        ),
        llm=allowed.llm(defaults.llm, start.llm),
        policy=replace(policy, greets=bool(greeting)),
        greeting=greeting,
        hotwords=joined(allowed.one("hotwords", hotwords, ()), defaults.hotwords),
        metadata=tuple(start.metadata.items()),
        tools=allowed.one("tools", declared_tools((), start.tools, limits), ()),
    )
    return CallRequest(
        options,
        _format("input", start.input, INPUT_RATE_HZ),
        _format("output", start.output, defaults.output_rate_hz),
    )


def update(options: CallOptions, message: pb.SessionUpdate, limits: Limits) -> CallOptions:
    """The options after a SessionUpdate. Raises BadRequest, Forbidden or Unsupported; nothing changes then."""
    if message.HasField("language") and message.language != options.language:
        raise Unsupported("the language can't change during a call yet; start a new session")
    _check_name("voice", message.voice, limits)
    _check_length("system_prompt", message.system_prompt, limits)
    allowed = _CallerChoices(limits)
    voice = message.voice if message.HasField("voice") else options.voice
    kept = () if message.replace_tools else options.tools
    prompt = message.system_prompt if message.HasField("system_prompt") else options.system_prompt
    return replace(
        options,
        voice=allowed.one("voice", voice, options.voice),
        system_prompt=allowed.one("system_prompt", prompt, options.system_prompt),
        llm=allowed.llm(options.llm, message.llm),
        policy=allowed.policy(options.policy, message.endpointing, message.turn_detection),
        tools=allowed.one("tools", declared_tools(kept, message.tools, limits), options.tools),
    )


def check_input_sample(report: pb.PlayoutReport, consumed: int, rate_hz: int, limits: Limits) -> None:
    """Raises BadRequest for a moment that can't have been recorded yet."""
    if report.input_sample > consumed + limits.max_input_ahead_s * rate_hz:
        raise BadRequest(
            f"playout: input_sample = {report.input_sample} was not recorded yet, {consumed} samples have come; "
            "send the index of the input sample recorded when the reply's sample was played"
        )


def typed_text(message: pb.Text, limits: Limits) -> str:
    """A typed turn. Raises BadRequest."""
    _check_length("text", message.text, limits)
    if not message.text.strip():
        raise BadRequest("text is empty; send at least one word")
    return message.text


def tool_answer(message: pb.ToolResult, limits: Limits) -> ToolAnswered:
    """The result of a tool. Raises BadRequest."""
    _check_length("tool_result.content", message.content, limits)
    return ToolAnswered(message.id, message.content, message.failed)


def _format(name: str, wire: pb.AudioFormat, default_rate_hz: int) -> AudioFormat:
    if wire.encoding not in ENCODINGS:
        raise Unsupported(f"{name}: this encoding is not served yet; send PCM16, MULAW or ALAW")
    if wire.channels > 1:
        raise BadRequest(f"{name}: {wire.channels} channels; mix to mono and send channels = 1")
    rate_hz = wire.sample_rate_hz or default_rate_hz
    if not 8_000 <= rate_hz <= 48_000:
        raise BadRequest(f"{name}: {rate_hz} Hz is out of range; send 8000 to 48000")
    return AudioFormat(ENCODINGS[wire.encoding], rate_hz)


_RANGES = {
    "end_silence_s": ("end_silence", 0.0, 5.0),
    "max_silence_s": ("max_silence", 0.1, 10.0),
    "barge_in_after_s": ("barge_in_after", 0.0, 2.0),
    "max_turn_s": ("max_turn", 1.0, 600.0),
    "complete_silence_s": ("complete_silence", 0.0, 5.0),
    "incomplete_silence_s": ("incomplete_silence", 0.0, 10.0),
    "reading_silence_s": ("reading_silence", 0.0, 10.0),
}


@dataclass(frozen=True, slots=True)
class _CallerChoices:
    """What a caller asks for, where the operator lets them choose it; each raises Forbidden."""

    limits: Limits

    def one(self, name: str, wanted: T, operators: T) -> T:
        """`wanted`, if it is what holds anyway or may be chosen."""
        if wanted != operators and name not in self.limits.may_set:
            raise Forbidden(f"{name} is chosen by the operator of this gateway; leave it empty (CALLER_MAY_SET)")
        return wanted

    def llm(self, options: LlmOptions, wire: pb.LlmOptions) -> LlmOptions:
        """The language model's options. Raises BadRequest, too."""
        _check_name("llm.model", wire.model, self.limits)
        temperature, max_tokens = options.temperature, options.max_tokens
        if wire.HasField("temperature"):
            temperature = _within("llm.temperature", wire.temperature, 0, 2)
        if wire.HasField("max_tokens"):
            max_tokens = round(_within("llm.max_tokens", wire.max_tokens, 1, 4096))
        return LlmOptions(
            self.one("model", wire.model or options.model, options.model),
            self.one("temperature", temperature, options.temperature),
            self.one("max_tokens", max_tokens, options.max_tokens),
        )

    def policy(self, policy: Policy, wire: pb.EndpointingOptions, detection: pb.TurnDetection.ValueType) -> Policy:
        """How turns end. Raises BadRequest, too."""
        changes: dict[str, Any] = {}
        for name, (field, low, high) in _RANGES.items():
            if wire.HasField(name):  # type: ignore[arg-type]  # the names are the message's own
                changes[field] = _within(f"endpointing.{name}", getattr(wire, name), low, high)
        if "end_silence" in changes:  # who asks for a silence gets it, unless they ask for another one
            changes.setdefault("complete_silence", changes["end_silence"])
            changes["learned_silence_min"] = changes["end_silence"]
        if wire.HasField("barge_in_words"):
            changes["barge_in_words"] = round(_within("endpointing.barge_in_words", wire.barge_in_words, 0, 20))
        if wire.HasField("end_on_final"):
            changes["end_on_final"] = wire.end_on_final
        chosen = self.one("endpointing", replace(policy, **changes), policy)
        if detection not in pb.TurnDetection.values():
            raise BadRequest(f"turn_detection = {detection} is not known; send SERVER or PUSH_TO_TALK")
        if detection == pb.TURN_DETECTION_UNSPECIFIED:
            return chosen
        return replace(
            chosen, decides=self.one("turn_detection", detection == pb.TURN_DETECTION_SERVER, policy.decides)
        )


def _within(name: str, value: float, low: float, high: float) -> float:
    if math.isnan(value) or not low <= value <= high:
        raise BadRequest(f"{name} = {value:g} is out of range; send {low:g} to {high:g}")
    return value


def _check_start(start: pb.SessionStart, limits: Limits) -> None:
    """Raises BadRequest for what is too long, too much, or no number."""
    for name, text in (("language", start.language), ("voice", start.voice)):
        _check_name(name, text, limits)
    for name, text in (("system_prompt", start.system_prompt), ("greeting", start.greeting)):
        _check_length(name, text, limits)
    if len(start.hotwords) > limits.max_hotwords:
        raise BadRequest(f"{len(start.hotwords)} hotwords are too many; send at most {limits.max_hotwords}")
    for word in start.hotwords:
        _check_signs("a hotword", word.phrase, limits.max_hotword_chars)
        if not math.isfinite(word.boost):
            raise BadRequest("a hotword's boost is no finite number; send 0 for the default, or 20 to 100")
        _within("a hotword's boost", word.boost, -limits.max_boost, limits.max_boost)
    if len(start.metadata) > limits.max_metadata:
        raise BadRequest(f"{len(start.metadata)} metadata entries are too many; send at most {limits.max_metadata}")
    for key, value in start.metadata.items():
        _check_signs("a metadata key", key, limits.max_metadata_key_chars)
        _check_signs("a metadata value", value, limits.max_metadata_value_chars)


def _check_name(name: str, text: str, limits: Limits) -> None:
    _check_signs(name, text, limits.max_name_chars)


def _check_signs(name: str, text: str, most: int) -> None:
    """For what stands in headers, requests and log lines."""
    if len(text) > most:
        raise BadRequest(f"{name} has {len(text)} characters; send at most {most}")
    if _CONTROL.search(text):
        raise BadRequest(f"{name} holds a control character or a line end; send letters, digits, signs and spaces")


def _check_length(name: str, text: str, limits: Limits) -> None:
    if len(text) > limits.max_text_chars:
        raise BadRequest(f"{name} has {len(text)} characters; send at most {limits.max_text_chars}")
