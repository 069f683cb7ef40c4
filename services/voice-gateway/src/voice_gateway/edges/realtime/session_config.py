"""What holds in a session? The agreed configuration; each update gives another one, or is refused as a whole."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, TypeVar

from pcm import AudioFormat, Encoding

from voice_gateway.core.events import CallOptions
from voice_gateway.core.hotwords import joined
from voice_gateway.core.tools import AUTO
from voice_gateway.core.turn_policy import Policy
from voice_gateway.edges.held_call import ServerInfo
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.realtime import tools, turn_detection
from voice_gateway.edges.realtime.refusals import invalid
from voice_gateway.edges.realtime.session_models import (
    Alaw,
    AudioInput,
    AudioOutput,
    Endpointing,
    Format,
    Mulaw,
    RealtimeFields,
    Transcription,
    TranscriptionFields,
    VoiceId,
    VoiceWorkflow,
)
from voice_gateway.edges.realtime.turn_detection import TurnDetection
from voice_gateway.errors import Unsupported

T = TypeVar("T")
Kind: TypeAlias = Literal["realtime", "transcription"]
PCM_24K = AudioFormat(Encoding.PCM16, 24_000)

_REALTIME_MODELS = re.compile(r"gpt-(4o-|4o-mini-)?(realtime|audio)[\w.-]*")
_TRANSCRIPTION_MODELS = re.compile(r"whisper-1|gpt-[\w.-]*transcribe[\w.-]*|gpt-realtime-whisper")
_VOICES = {
    *("default", "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage"),
    *("shimmer", "verse"),
}
"""Names of OpenAI's that clients send unasked: they stand for what the operator has chosen, and the session says what
that is."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the gateway offers, and what a client may choose."""

    limits: Limits
    server_info: ServerInfo
    defaults_in: Callable[[str], CallOptions]
    """What holds in a language where nothing is asked for; "" = the deployment's. Raises Unsupported."""

    def choose(self, name: str, param: str, wanted: T, operators: T) -> T:
        """`wanted`, if it is what holds anyway or may be chosen. Raises EventRefused."""
        if wanted != operators and name not in self.limits.may_set:
            raise invalid(param, f"{name} is chosen by the operator of this gateway; leave it out (CALLER_MAY_SET)")
        return wanted


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """One session's configuration; `options` is what the call goes by."""

    kind: Kind
    defaults: CallOptions
    """What holds in the session's language where nothing is asked for."""
    options: CallOptions
    detection: TurnDetection
    transcribes: bool = False
    input: AudioFormat = PCM_24K
    output: AudioFormat = PCM_24K
    max_output_tokens: int | Literal["inf"] = "inf"
    tracing: dict[str, Any] | Literal["auto"] | None = None
    endpointing: Endpointing | None = None
    tells_more: bool = False
    """The client wants events of this gateway's own, too."""


def opened(kind: Kind, terms: Terms, language: str = "") -> SessionConfig:
    """What holds before the first update. A greeting is said only where the client asks for one: it may come to
    configure its session first. Raises EventRefused."""
    try:
        defaults = terms.defaults_in(language)
    except Unsupported as error:
        raise invalid("language", str(error)) from None
    terms.choose("language", "language", defaults.language, terms.defaults_in("").language)
    detection = TurnDetection(threshold=defaults.speech_threshold or 0.5)
    config = SessionConfig(kind, defaults, replace(defaults, greeting=""), detection)
    if kind == "transcription":
        config = replace(config, transcribes=True, detection=replace(detection, create_response=False))
    return replace(config, options=_with_detection(config))


def updated(
    config: SessionConfig, wire: RealtimeFields | TranscriptionFields, terms: Terms, *, has_begun: bool
) -> SessionConfig:
    """The configuration after an update; `has_begun`: what recognition was opened with can't change any more.
    Raises EventRefused; nothing changes then."""
    if wire.type != config.kind:
        raise invalid("session.type", f"this is a {config.kind} session; connect again for another kind")
    more, audio = wire.voice_workflow or VoiceWorkflow(), wire.audio
    audio_input = (audio.input if audio else None) or AudioInput()
    config = _with_language(config, audio_input.transcription, more, terms, has_begun=has_begun)
    config = _with_input(config, audio_input, terms)
    if isinstance(wire, RealtimeFields):
        config = _with_answers(config, wire, terms)
        config = _with_output(config, (wire.audio.output if wire.audio else None) or AudioOutput(), terms)
    config = _with_hotwords(config, audio_input.transcription, more, terms, has_begun=has_begun)
    config = _with_more(config, more, terms)
    before, options = config.defaults.policy, _with_detection(config)
    _check_policy(before, options.policy, terms)
    return replace(config, options=options)


def model_named(name: str, options: CallOptions, terms: Terms, param: str) -> str:
    """The language model that a name stands for. Raises EventRefused."""
    operators = terms.server_info.llm_model
    if not name or _REALTIME_MODELS.fullmatch(name) or name == options.llm.model:
        return options.llm.model
    return terms.choose("model", param, name, operators)


def _with_language(
    config: SessionConfig, transcription: Transcription | None, more: VoiceWorkflow, terms: Terms, *, has_begun: bool
) -> SessionConfig:
    spoken = (transcription.language if transcription else None) or ""
    param = "session.voice_workflow.language" if more.language else "session.audio.input.transcription.language"
    wanted = more.language or spoken
    if not wanted:
        return config
    try:
        defaults = terms.defaults_in(wanted)
    except Unsupported as error:
        raise invalid(param, str(error)) from None
    if defaults.language == config.options.language:
        return config
    if has_begun:
        raise invalid(param, "the language is chosen before the first audio, text or response; connect again")
    terms.choose("language", param, defaults.language, terms.defaults_in("").language)
    kept = config.options
    fields = ("llm", "tools", "tool_use", "answers", "speaks", "metadata", "greeting")
    options = replace(defaults, **{name: getattr(kept, name) for name in fields})
    if kept.system_prompt != config.defaults.system_prompt:
        options = replace(options, system_prompt=kept.system_prompt)
    if kept.voice != config.defaults.voice:
        options = replace(options, voice=kept.voice)
    return replace(config, defaults=defaults, options=options)


def _with_input(config: SessionConfig, wire: AudioInput, terms: Terms) -> SessionConfig:
    given = wire.model_fields_set
    if wire.format is not None:
        config = replace(config, input=_format(wire.format))
    if "transcription" in given:
        if wire.transcription is None and config.kind == "transcription":
            raise invalid("session.audio.input.transcription", "a transcription session transcribes; leave it out")
        config = replace(config, transcribes=wire.transcription is not None)
        _check_recogniser(wire.transcription, terms)
    if "turn_detection" in given:
        operators = TurnDetection(threshold=config.defaults.speech_threshold or 0.5)
        detection = turn_detection.asked(wire.turn_detection, operators, config.defaults.policy)
        if config.kind == "transcription":
            detection = replace(detection, create_response=False)
        terms.choose("endpointing", f"{_DETECTION}.threshold", detection.threshold, operators.threshold)
        config = replace(config, detection=detection)
    return config


_DETECTION = "session.audio.input.turn_detection"


def _check_recogniser(wire: Transcription | None, terms: Terms) -> None:
    name = wire.model if wire else None
    if name and name != terms.server_info.asr_model and not _TRANSCRIPTION_MODELS.fullmatch(name):
        own = terms.server_info.asr_model or "default"
        if name != own:
            raise invalid("session.audio.input.transcription.model", f"there is no such model here; send {own}")


def _with_answers(config: SessionConfig, wire: RealtimeFields, terms: Terms) -> SessionConfig:
    """How the model is asked."""
    options, defaults = config.options, config.defaults
    if wire.model:
        llm = replace(options.llm, model=model_named(wire.model, options, terms, "session.model"))
        options = replace(options, llm=llm)
    if wire.instructions is not None:
        prompt = terms.choose("system_prompt", "session.instructions", wire.instructions, defaults.system_prompt)
        options = replace(options, system_prompt=prompt)
    if wire.tools is not None:
        declared = tools.declared(wire.tools, terms.limits, "session.tools")
        options = replace(options, tools=terms.choose("tools", "session.tools", declared, ()))
        if options.tool_use.name and all(tool.name != options.tool_use.name for tool in declared):
            options = replace(options, tool_use=AUTO)
    if wire.tool_choice is not None:
        use = tools.use(wire.tool_choice, options.tools, terms.limits, "session.tool_choice")
        options = replace(options, tool_use=terms.choose("tools", "session.tool_choice", use, AUTO))
    if wire.output_modalities is not None:
        options = replace(options, speaks=wire.output_modalities == ["audio"])
    if wire.max_output_tokens is not None:
        llm = replace(options.llm, max_tokens=longest(wire.max_output_tokens, defaults, terms, "session"))
        options, config = replace(options, llm=llm), replace(config, max_output_tokens=wire.max_output_tokens)
    if "tracing" in wire.model_fields_set:
        traced = wire.tracing
        named = traced if traced is None or traced == "auto" else traced.model_dump(exclude_none=True)
        config = replace(config, tracing=named)
    return replace(config, options=options)


def longest(wanted: int | Literal["inf"], defaults: CallOptions, terms: Terms, where: str) -> int:
    """The longest reply in tokens; "inf" = as the operator set it. Raises EventRefused."""
    most = defaults.llm.max_tokens
    return terms.choose("max_tokens", f"{where}.max_output_tokens", most if wanted == "inf" else wanted, most)


def _with_output(config: SessionConfig, wire: AudioOutput, terms: Terms) -> SessionConfig:
    if wire.format is not None:
        config = replace(config, output=_format(wire.format))
    if wire.voice is None:
        return config
    voice = voice_named(wire.voice, config.defaults, terms, "session.audio.output.voice")
    return replace(config, options=replace(config.options, voice=voice))


def voice_named(wire: str | VoiceId, defaults: CallOptions, terms: Terms, param: str) -> str:
    """The voice that a name stands for. Raises EventRefused."""
    name = wire if isinstance(wire, str) else wire.id
    return defaults.voice if name in _VOICES else terms.choose("voice", param, name, defaults.voice)


def _with_hotwords(
    config: SessionConfig, transcription: Transcription | None, more: VoiceWorkflow, terms: Terms, *, has_begun: bool
) -> SessionConfig:
    keywords = transcription.keywords if transcription else None
    if more.hotwords is not None:
        param = "session.voice_workflow.hotwords"
        words = tuple((word.phrase, word.boost) for word in more.hotwords)
    elif keywords is not None:
        param = "session.audio.input.transcription.keywords"
        words = tuple((keyword, 0.0) for keyword in keywords)
    else:
        return config
    merged = joined(terms.choose("hotwords", param, words, ()), config.defaults.hotwords)
    if has_begun and merged != config.options.hotwords:
        raise invalid(param, "they are chosen before the first audio, text or response; connect again")
    return replace(config, options=replace(config.options, hotwords=merged))


def _with_more(config: SessionConfig, more: VoiceWorkflow, terms: Terms) -> SessionConfig:
    """What this gateway has beyond the public schema."""
    where, options, defaults = "session.voice_workflow", config.options, config.defaults
    if more.greeting is not None:
        options = replace(options, greeting=terms.choose("greeting", f"{where}.greeting", more.greeting, ""))
    if more.temperature is not None:
        warmth = terms.choose("temperature", f"{where}.temperature", more.temperature, defaults.llm.temperature)
        options = replace(options, llm=replace(options.llm, temperature=warmth))
    if "endpointing" in more.model_fields_set:
        config = replace(config, endpointing=more.endpointing)
    if more.events is not None:
        config = replace(config, tells_more=more.events)
    return replace(config, options=options)


def _with_detection(config: SessionConfig) -> CallOptions:
    """The options with the policy that the turn detection and the numbers beside it mean."""
    policy = turn_detection.policy_of(config.detection, config.defaults.policy)
    if config.endpointing:
        given = config.endpointing.model_dump(exclude_none=True)
        policy = replace(policy, **{name.removesuffix("_s"): value for name, value in given.items()})
    operators_own = config.detection.threshold == (config.defaults.speech_threshold or 0.5)
    return replace(
        config.options,
        policy=replace(policy, greets=bool(config.options.greeting) and config.kind == "realtime"),
        answers=config.detection.create_response,
        speech_threshold=config.defaults.speech_threshold if operators_own else config.detection.threshold,
    )


_WHO_DECIDES = ("decides", "protects_replies")
_NOT_CHOSEN = ("drafts", "greets")


def _check_policy(operators: Policy, policy: Policy, terms: Terms) -> None:
    for name in _WHO_DECIDES:
        terms.choose("turn_detection", _DETECTION, getattr(policy, name), getattr(operators, name))
    same = {name: getattr(operators, name) for name in (*_WHO_DECIDES, *_NOT_CHOSEN)}
    terms.choose("endpointing", _DETECTION, replace(policy, **same), operators)


def _format(wire: Format) -> AudioFormat:
    if isinstance(wire, Mulaw):
        return AudioFormat(Encoding.MULAW, 8_000)
    return AudioFormat(Encoding.ALAW, 8_000) if isinstance(wire, Alaw) else PCM_24K
