"""Which words of a growing utterance have stopped changing? LocalAgreement-2: those that two passes in a row agree on.

A pass hears the whole buffer again. What two passes agree on is *agreed*: shown from then on, whatever a later pass
says. When the buffer grows long, agreed words are *committed*: they leave, and their audio with them, so that a pass
never costs more than the buffer's longest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from speech_server.core.asr.asr_types import Word

LEAST_KEPT_S = 1.0
"""So much of the buffer's end is never committed by agreement: its words may still be growing."""
MOST_STABILITY = 0.9
"""A partial is never called more stable than this; 1.0 says that the utterance has probably ended."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is known of the words in the buffer; times count from the buffer's beginning."""

    agreed: tuple[Word, ...] = ()
    latest: tuple[Word, ...] = ()

    @property
    def shown(self) -> tuple[Word, ...]:
        """Agreed words, then what the newest pass adds."""
        return self.agreed + self.latest[len(self.agreed) :]


@dataclass(frozen=True, slots=True)
class Cut:
    """So many agreed words are committed, and the audio before `at_s` with them."""

    words: tuple[Word, ...]
    at_s: float


def heard(before: Agreement, words: Sequence[Word]) -> Agreement:
    """After a pass over the same buffer, grown. Case and punctuation may differ, since they depend on what follows."""
    agreed = list(before.agreed)
    for old, new in zip(before.latest[len(agreed) :], words[len(agreed) :], strict=False):
        if _plain(old.text) != _plain(new.text):
            break
        agreed.append(new)
    return Agreement(tuple(agreed), tuple(words))


def cut(state: Agreement, buffer_s: float, longest_s: float) -> Cut | None:
    """What to commit from a buffer of `buffer_s`, if it is longer than `longest_s`.

    Agreed words first. When nobody agrees and the buffer is twice too long, the newest pass is believed; when it has
    no words either, their audio is forgotten: memory stays flat whatever is said.
    """
    if buffer_s <= longest_s:
        return None
    found = _until(state.agreed, state.shown, buffer_s - LEAST_KEPT_S)
    if found is None and buffer_s > 2 * longest_s:
        found = _until(state.shown, state.shown, buffer_s - LEAST_KEPT_S)
        return found or Cut((), buffer_s - LEAST_KEPT_S)
    return found


def committed(state: Agreement, made: Cut) -> Agreement:
    """What is left in the buffer after the cut."""
    count = len(made.words)
    return Agreement(_earlier(state.agreed[count:], made.at_s), _earlier(state.latest[count:], made.at_s))


def stability(committed_words: int, state: Agreement) -> float:
    """The part of all shown words that has stopped changing."""
    shown = committed_words + len(state.shown)
    return MOST_STABILITY * (committed_words + len(state.agreed)) / shown if shown else 0.0


def _until(words: Sequence[Word], shown: Sequence[Word], before_s: float) -> Cut | None:
    count = sum(1 for word in words if word.end_s <= before_s)
    if not count:
        return None
    end_s = words[count - 1].end_s
    following_s = shown[count].start_s if count < len(shown) else end_s
    # In the middle of the gap: neither word loses its edge.
    return Cut(tuple(words[:count]), (end_s + max(end_s, min(following_s, before_s))) / 2)


def _earlier(words: Sequence[Word], by_s: float) -> tuple[Word, ...]:
    return tuple(
        Word(word.text, max(0.0, word.start_s - by_s), max(0.0, word.end_s - by_s), word.confidence) for word in words
    )


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum()) or text
