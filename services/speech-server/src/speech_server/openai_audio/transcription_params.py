"""What does a form ask of a transcription? Every field honoured, or refused with a sentence.

`prompt` and `temperature` are taken and change nothing: the engines here decode greedily and know no prompt. `keywords`
are speech contexts, favoured by engines that can.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from pcm import Encoding

from speech_server.core.asr.asr_types import AsrModel, Hints
from speech_server.core.asr.endpointer import Endpointing
from speech_server.core.asr.ignored_options import estimated_word_times
from speech_server.core.asr.recognition_plan import (
    AsrPolicy,
    RecognitionPlan,
    choose_language,
    choose_phrases,
    model_of,
)
from speech_server.core.requests.error_text import shown
from speech_server.errors import BadRequest, NotFound
from speech_server.openai_audio.errors import BadParameter
from speech_server.openai_audio.field_checks import MISSING, number_of, one_of, only, text_of, written_number

Format = Literal["json", "text", "srt", "verbose_json", "vtt"]
KEYWORD_BOOST = 4.0
"""Riva's own client sends so much when nothing else is said."""


_FIELDS = frozenset(
    {
        "model", "language", "prompt", "response_format", "temperature", "stream", "timestamp_granularities", "include",
        "chunking_strategy", "keywords",
    }
)  # fmt: skip
"""Of a form, beside the file."""


@dataclass(frozen=True, slots=True)
class TranscriptionParams:
    """One transcription, decided."""

    plan: RecognitionPlan
    format: Format
    stream: bool
    segments: bool
    words: bool
    logprobs: bool


def transcription(
    fields: Mapping[str, Sequence[str]], models: Sequence[AsrModel], policy: AsrPolicy
) -> TranscriptionParams:
    """The fields of a form, decided. Raises BadRequest, NotFound for an unknown model where the policy is strict."""
    last = {name: values[-1] for name, values in fields.items() if values}
    only([name for name in fields if not name.startswith(_STRATEGY)], _FIELDS)
    if "model" not in last:
        raise BadParameter("model is missing; send the name of a model of /v1/models.", "model", MISSING)
    for name in ("model", "language", "response_format", "temperature", "stream", "chunking_strategy"):
        if name in last:
            text_of(last[name], name)
    written = one_of(last.get("response_format", "json"), "response_format", get_args(Format))
    granularities = set(fields.get("timestamp_granularities", ())) or {"segment"}
    if granularities - {"word", "segment"}:
        raise BadParameter("timestamp_granularities takes word and segment.", "timestamp_granularities")
    if "timestamp_granularities" in fields and written != "verbose_json":
        raise BadParameter("timestamp_granularities needs response_format verbose_json.", "timestamp_granularities")
    for name in fields.get("include", ()):
        one_of(name, "include", ("logprobs",))
    written_number(last.get("temperature", "0"), "temperature", 0.0, 1.0)
    told = hints(last.get("model", ""), last.get("language", ""), list(fields.get("keywords", ())), models, policy)
    model = model_of(last.get("model", ""), told.language, models)
    return TranscriptionParams(
        plan=RecognitionPlan(
            encoding=Encoding.PCM16,
            rate_hz=None,
            hints=told,
            endpointing=_chunking(last, policy.endpointing),
            word_times=True,
            leading_space=False,
            warnings=estimated_word_times(model, word_times="word" in granularities),
        ),
        format=cast(Format, written),
        stream=_flag(last.get("stream", "false"), "stream"),
        segments="segment" in granularities,
        words="word" in granularities,
        logprobs="logprobs" in fields.get("include", ()),
    )


def hints(model: str, language: str, keywords: Sequence[str], models: Sequence[AsrModel], policy: AsrPolicy) -> Hints:
    """What the engine is told beforehand. Raises NotFound for a model, BadParameter for a language or keywords."""
    named = any(known.name.lower() == model.lower() for known in models)
    if model and not named and policy.unknown_models == "strict":
        raise NotFound(f"The model {shown(model)} does not exist; send one of {', '.join(one.name for one in models)}.")
    try:
        chosen = choose_language(model if named else "", language, None, models, policy)
    except BadRequest as error:
        spoken = ", ".join(dict.fromkeys(tag for one in models for tag in one.languages))
        raise BadParameter(
            f"language {shown(language)} is not recognised here; send one of {spoken}.", "language"
        ) from error
    try:
        return Hints(chosen, choose_phrases([([word for word in keywords if word.strip()], KEYWORD_BOOST)], "keywords"))
    except BadRequest as error:
        raise BadParameter(str(error), "keywords") from error


def with_vad(vad: Mapping[str, Any], ours: Endpointing) -> Endpointing:
    """OpenAI's server_vad, checked, in our terms: threshold 0..1, silence_duration_ms."""
    made = ours
    threshold, silence_ms = vad.get("threshold"), vad.get("silence_duration_ms")
    if threshold is not None:
        made = replace(made, onset=threshold, offset=min(ours.offset, threshold))
    return replace(made, stop_history_s=silence_ms / 1000) if silence_ms is not None else made


VAD_RANGES = {"threshold": (0.0, 1.0), "prefix_padding_ms": (0.0, 10_000.0), "silence_duration_ms": (20.0, 30_000.0)}
_STRATEGY = "chunking_strategy["
_STRATEGIES = "chunking_strategy takes auto, or an object with type server_vad."


def _chunking(last: Mapping[str, str], ours: Endpointing) -> Endpointing:
    written = last.get("chunking_strategy", "auto")
    vad: dict[str, Any] = {
        name.removeprefix(_STRATEGY).removesuffix("]"): value
        for name, value in last.items()
        if name.startswith(_STRATEGY)
    }
    number: Callable[[Any, str, float, float], float] = written_number if vad else number_of
    if not vad and written != "auto":
        try:
            vad = json.loads(written)
        except (ValueError, RecursionError):
            vad = {}
        if not isinstance(vad, dict) or not vad:
            raise BadParameter(_STRATEGIES, "chunking_strategy")
    if not vad:
        return ours
    only(vad, ("type", *VAD_RANGES), "chunking_strategy")
    if vad.get("type") != "server_vad":
        raise BadParameter(_STRATEGIES, "chunking_strategy.type")
    return with_vad(
        {
            name: number(vad[name], f"chunking_strategy.{name}", *limits)
            for name, limits in VAD_RANGES.items()
            if vad.get(name) is not None
        },
        ours,
    )


def _flag(written: str, param: str) -> bool:
    return one_of(written.lower(), param, ("true", "false", "1", "0")) in ("true", "1")
