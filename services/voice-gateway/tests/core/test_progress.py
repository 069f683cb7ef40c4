"""Which results of a recogniser bring something new, and which only look like life?"""

import pytest
from voice_gateway.core.progress import Progress, progressed
from voice_gateway.core.transcript import RecognitionResult


def news(*results: RecognitionResult) -> list[bool]:
    """Whether each of them brings something new, one after another."""
    state, found = Progress(), []
    for result in results:
        state, is_new = progressed(state, result)
        found.append(is_new)
    return found


def partial(text: str, processed_s: float | None = 0.0, stability: float = 0.0) -> RecognitionResult:
    return RecognitionResult(text, False, stability, processed_s)


def final(text: str, processed_s: float | None = 1.0) -> RecognitionResult:
    return RecognitionResult(text, True, 1.0, processed_s)


@pytest.mark.parametrize(
    ("results", "new"),
    [
        ([partial("", 0.5), partial("", 0.5), partial("", 0.5)], [True, False, False]),
        ([partial("hel", 0.5), partial("hel", 0.5), partial("", 0.5)], [True, False, False]),
        ([partial("hel", 0.5), partial("hello", 0.5)], [True, True]),
        ([partial("hello", 0.5), partial("hello", 0.5, stability=1.0)], [True, True]),
        ([partial("", None), partial("", None)], [False, False]),
        ([partial("a", None), partial("a", None), partial("b", None)], [True, False, True]),
        ([final("yes", None), final("yes", None)], [True, True]),
        ([final(""), final(""), final("")], [True, False, False]),
        ([partial("uh", 1.0), final("", 1.0)], [True, True]),
        ([partial("", 2.0), partial("", 1.0)], [True, False]),
    ],
    ids=[
        "empty partials that stand still", "the same partial again", "a word more", "an end of utterance",
        "empty partials that tell nothing", "words without times", "a second yes", "empty finals",
        "noise", "back in time",
    ],
)  # fmt: skip
def test_only_words_finals_and_audio_accounted_for_are_progress(
    results: list[RecognitionResult], new: list[bool]
) -> None:
    assert news(*results) == new
