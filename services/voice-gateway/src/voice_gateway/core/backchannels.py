"""Is this what a listener says who wants no turn? "Mhm", "okay, I see": words that leave the speaker the floor.

A listener's "yes" is one in the middle of a reply, and an answer at its end or after a question. So it depends on what
of the reply was left when the caller began to speak, and on what they had just heard.
"""

from dataclasses import dataclass
from functools import cache
from math import inf

from voice_gateway.core.bare_words import bare_words
from voice_gateway.core.language import Language

BOUNDARY_S = 1.0
"""So shortly before the end of a reply a caller may answer already."""
ASKED_S = 2.0
"""So long after a question "yes" is its answer."""
_MOST_WORDS = 4
_QUESTION_SIGNS = ("?", "\uff1f", "\u061f", "\u037e")
_CLOSING = "\"'\u201d\u2019)»*_"


@dataclass(frozen=True, slots=True)
class ReplyMoment:
    """What a reply was like at one moment, for its caller."""

    reply: int
    heard_samples: int
    left_s: float = inf
    """Audio that they have not heard yet, seconds; inf = more is being made."""
    asks: bool = False
    """They have just heard a question."""


def is_backchannel(text: str, language: Language, moment: ReplyMoment, *, final: bool) -> bool:
    """Whether `text`, of speech that began at `moment` of a reply, takes no turn.

    Example: 3 s before the end of "We have a table at eight, and one at nine." both "okay" and "uh huh, okay" are
    backchannels, and so is the partial "uh", which may become one; "okay but" is none. 0.8 s before its end "okay" is a
    turn, and so it is within 2 s of "Is that all right?", however much follows."""
    words = bare_words(text)
    if not words or moment.left_s <= BOUNDARY_S or moment.asks:
        return False
    return is_made_of(words, _phrases(language.backchannels), final=final)


def holds_question(text: str) -> bool:
    """Whether a sentence of `text` ends as a question does."""
    return any(word.rstrip(_CLOSING).endswith(_QUESTION_SIGNS) for word in text.split())


def is_made_of(words: tuple[str, ...], phrases: frozenset[tuple[str, ...]], *, final: bool) -> bool:
    """Whether `words` are a few of the `phrases` in a row; of a partial the last one may be unfinished."""
    if not words:
        return True
    if len(words) > _MOST_WORDS:
        return False
    if any(
        words[: len(phrase)] == phrase and is_made_of(words[len(phrase) :], phrases, final=final) for phrase in phrases
    ):
        return True
    return not final and any(_may_become(words, phrase) for phrase in phrases)


def _may_become(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    *whole, last = words
    return len(words) <= len(phrase) and phrase[: len(whole)] == tuple(whole) and phrase[len(whole)].startswith(last)


@cache
def _phrases(words: frozenset[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(phrase for text in words if (phrase := bare_words(text)))
