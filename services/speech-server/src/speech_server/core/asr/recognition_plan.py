"""What did a caller of the recogniser ask for, and can it be served?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from unicodedata import normalize

from pcm import Encoding

from speech_server.core.asr.asr_types import AsrModel, Hints
from speech_server.core.asr.audio_decoder import HIGHEST_HZ, LOWEST_HZ, Compressed
from speech_server.core.asr.endpointer import Endpointing
from speech_server.core.asr.text_normalisation import NUMBER_LANGUAGES, TextFormat
from speech_server.core.requests.error_text import cut
from speech_server.errors import BadRequest

Policy = Literal["strict", "ignore"]
"""What an unknown name meets: a refusal, or the default in its place."""


@dataclass(frozen=True, slots=True)
class AsrPolicy:
    """What the operator decided."""

    endpointing: Endpointing
    unknown_models: Policy = "ignore"
    unknown_languages: Policy = "strict"
    leading_space: bool = True
    writes_numbers: bool = False
    """Number words become digits, unless verbatim transcripts are asked for."""
    profanity: frozenset[str] = frozenset()
    """Lower-case words the profanity filter masks; empty: it has no effect."""


@dataclass(frozen=True, slots=True)
class EndpointingOptions:
    """What the caller set; None, zero and negative values mean the operator's. Milliseconds, parts 0..1."""

    start_history_ms: int | None = None
    start_threshold: float | None = None
    stop_history_ms: int | None = None
    stop_threshold: float | None = None
    stop_history_eou_ms: int | None = None
    stop_threshold_eou: float | None = None


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How the caller wants transcripts written."""

    punctuation: bool = False
    verbatim: bool = False
    profanity_filter: bool = False


@dataclass(frozen=True, slots=True)
class RecognitionPlan:
    """One recognition, decided."""

    encoding: Encoding | Compressed
    rate_hz: int | None
    hints: Hints
    endpointing: Endpointing
    word_times: bool
    leading_space: bool
    interim: bool = False
    alternatives: int = 1
    """At most so many."""
    wording: TextFormat = field(default_factory=TextFormat)
    vad_probabilities: bool = False
    """Results carry the detector's scores."""
    warnings: tuple[str, ...] = ()
    """What was asked for and has no effect here, a sentence each."""


def choose_rate(rate_hz: int) -> int | None:
    """The rate of the audio, None = header or default. Raises BadRequest outside the served range."""
    if rate_hz == 0:
        return None
    if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        raise BadRequest(
            f"sample_rate_hertz is {rate_hz}; send {LOWEST_HZ} to {HIGHEST_HZ}, or 0 for the WAV header's."
        )
    return rate_hz


def choose_language(
    model: str, language: str, rate_hz: int | None, models: Sequence[AsrModel], policy: AsrPolicy
) -> str:
    """The language to recognise. Raises BadRequest for an unknown model or language where the policy is strict."""
    named = [known for known in models if known.name.lower() == model.lower()]
    available = "; ".join(f"{known.name} ({', '.join(known.languages)})" for known in models)
    unavailable = (
        "Error: Unavailable model requested given these parameters: "
        f"model={cut(model)}; language_code={cut(language)}; sample_rate={rate_hz or 0}; type=online; "
        f"available: {available}"
    )
    if model and not named and policy.unknown_models == "strict":
        raise BadRequest(unavailable)
    candidates = [spoken for known in named or models for spoken in known.languages]
    if not candidates:
        raise BadRequest(unavailable)
    if not language:
        return candidates[0]
    found = match_language(language, candidates)
    if found is None and policy.unknown_languages == "strict":
        raise BadRequest(unavailable)
    return found or candidates[0]


def match_language(language: str, candidates: Sequence[str]) -> str | None:
    """The same tag whatever its case, else one of the same language (en-GB may be served by en-US)."""
    wanted = language.lower().replace("_", "-")
    for exact in (True, False):
        for candidate in candidates:
            have = candidate.lower()
            if wanted == have or (not exact and wanted.split("-")[0] == have.split("-")[0]):
                return candidate
    return None


def model_of(name: str, language: str, models: Sequence[AsrModel]) -> AsrModel:
    """The model that will recognise `language`, chosen as `choose_language` does. `models` is not empty."""
    named = [known for known in models if known.name.lower() == name.lower()]
    return next((known for known in named or models if language in known.languages), models[0])


def choose_text_format(options: TextOptions, language: str, model: AsrModel, policy: AsrPolicy) -> TextFormat:
    """What must be changed in what the model writes."""
    spoken = language.split("-")[0].lower()
    digits = policy.writes_numbers and not options.verbatim and spoken in NUMBER_LANGUAGES
    return TextFormat(
        plain=model.punctuates and not options.punctuation,
        digits_of=spoken if digits else "",
        masked=policy.profanity if options.profanity_filter else frozenset(),
    )


MOST_PHRASES, LONGEST_PHRASE, MOST_LETTERS = 1000, 100, 20_000
"""Of one request: phrases, characters of one, characters of all; accents and ligatures count apart. All cost memory."""


def choose_phrases(
    contexts: Sequence[tuple[Sequence[str], float]], name: str = "speech_contexts"
) -> tuple[tuple[str, float], ...]:
    """Every phrase with its boost. Any finite boost is taken: sources disagree about the useful range.

    Raises BadRequest for other boosts, and for more phrases or longer ones than are looked for.
    """
    if any(not math.isfinite(boost) for _, boost in contexts):
        raise BadRequest(f"{name} has a boost that is not a number; send a finite one, such as 4.0.")
    chosen = tuple((phrase, boost) for phrases, boost in contexts for phrase in phrases)
    if len(chosen) > MOST_PHRASES:
        raise BadRequest(f"{name} has {len(chosen)} phrases; send at most {MOST_PHRASES}.")
    lengths = [max(len(phrase), len(normalize("NFKD", phrase[:LONGEST_PHRASE]))) for phrase, _ in chosen]
    if max(lengths, default=0) > LONGEST_PHRASE:
        raise BadRequest(f"{name} has a phrase of {max(lengths)} characters; send at most {LONGEST_PHRASE}.")
    if sum(lengths) > MOST_LETTERS:
        raise BadRequest(f"{name} has {sum(lengths)} characters in all phrases; send at most {MOST_LETTERS}.")
    return chosen


def choose_endpointing(options: EndpointingOptions, custom: Mapping[str, str], ours: Endpointing) -> Endpointing:
    """The caller's endpointing where it is set, the operator's elsewhere. Thresholds above 1 count as 1."""
    eou_ms = _positive(options.stop_history_eou_ms) or _number(custom, "stop_history_eou")
    return replace(
        ours,
        start_history_s=_seconds(options.start_history_ms, ours.start_history_s),
        start_threshold=_part(options.start_threshold, ours.start_threshold),
        stop_history_s=_seconds(options.stop_history_ms, ours.stop_history_s),
        stop_threshold=_part(options.stop_threshold, ours.stop_threshold),
        stop_history_eou_s=min(eou_ms / 1000, LONGEST_HISTORY_S) if eou_ms else ours.stop_history_eou_s,
        stop_threshold_eou=_part(options.stop_threshold_eou, ours.stop_threshold_eou),
        onset=_part(_number(custom, "neural_vad.onset"), ours.onset),
        offset=_part(_number(custom, "neural_vad.offset"), ours.offset),
    )


LONGEST_HISTORY_S = 30.0
"""Longest history a caller can ask for: every frame of it is remembered."""


def _seconds(wanted_ms: int | None, ours_s: float) -> float:
    wanted = _positive(wanted_ms)
    return min(wanted / 1000, LONGEST_HISTORY_S) if wanted else ours_s


def _part(wanted: float | None, ours: float) -> float:
    return min(1.0, wanted) if wanted is not None and _positive(wanted) else ours


def _positive(wanted: float | None) -> float | None:
    return wanted if wanted is not None and math.isfinite(wanted) and wanted > 0 else None


def _number(custom: Mapping[str, str], key: str) -> float | None:
    """A custom key's number; like unknown keys, one that isn't a number is ignored."""
    try:
        return _positive(float(custom.get(key, "")))
    except ValueError:
        return None
