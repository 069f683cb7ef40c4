"""What of a caller's wishes has no effect here, or is only estimated? A sentence for each, sent beside the result."""

from collections.abc import Mapping, Sequence

from speech_server.core.asr.asr_types import AsrModel
from speech_server.core.asr.recognition_plan import AsrPolicy, TextOptions
from speech_server.core.requests.error_text import named

WARNING = "speech-warning"
"""Trailer of gRPC, once for each sentence; header of HTTP."""

USED_KEYS = frozenset({"stop_history_eou", "neural_vad.onset", "neural_vad.offset", "get_vad_probabilities"})
"""Keys of custom_configuration that are honoured."""
ALWAYS_SO = {"enable_vad_endpointing": "true"}
"""Keys whose one value asks for what happens anyway."""


def estimated_word_times(model: AsrModel, *, word_times: bool) -> tuple[str, ...]:
    """The sentence on words' times that were asked for and are not the model's own."""
    if not word_times or not model.estimates_times:
        return ()
    return (f"word times are estimates: the model {model.name} tells none, so they follow the words' lengths.",)


def ignored_options(
    options: TextOptions, custom: Mapping[str, str], phrases: Sequence[str], model: AsrModel, policy: AsrPolicy
) -> tuple[str, ...]:
    """The sentences, none when all is honoured."""
    found: list[str] = []
    if phrases and not model.boosts:
        found.append(f"speech_contexts has no effect: the model {model.name} can't boost phrases.")
    if options.punctuation and not model.punctuates:
        found.append(f"enable_automatic_punctuation has no effect: the model {model.name} writes words only.")
    if options.profanity_filter and not policy.profanity:
        found.append("profanity_filter has no effect: the operator has set no SPEECH_PROFANITY_FILE.")
    unknown = sorted(
        key for key, value in custom.items() if key not in USED_KEYS and ALWAYS_SO.get(key) != value.lower()
    )
    if unknown:
        keys = "key" if len(unknown) == 1 else "keys"
        have = "has" if len(unknown) == 1 else "have"
        found.append(
            f"custom_configuration {keys} {named(unknown)} {have} no effect; known are {', '.join(sorted(USED_KEYS))}."
        )
    return tuple(found)
