"""What did the caller mean? Text as a person types it or a recogniser writes it -> matched intents."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby

from mini_llm.rulebook import Intent, load_rulebook
from mini_llm.text_normalisation import LONGEST_TEXT, normalise, sentences

MOST_SENTENCES = 6

_AND = re.compile(r"(?<= )(?:and|but|then) ", re.IGNORECASE)
_NOT = re.compile(r"(?:\b(?:not|never|no)|n't) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Meaning:
    """One intent found in what was said, with the words of its slots in the order they came."""

    intent: Intent
    slots: tuple[tuple[str, str], ...]

    def values(self, *names: str) -> tuple[str, ...]:
        """Words of every slot with one of these names."""
        return tuple(words for slot, words in self.slots if slot in names)

    def slot(self, *names: str) -> str:
        """Words of the first of them, "" when there is none."""
        return next(iter(self.values(*names)), "")


def understand(text: str) -> tuple[Meaning, ...]:
    """Everything meant by a message, in the order it was said; empty when nothing was understood.

    Sentence by sentence, each first as a whole, then as wholes joined by "and", then as an intent hidden among other
    words. A sentence that a pause has cut in two ("Count to. Ten.") is put together again.
    """
    return _understand(text[:LONGEST_TEXT])


@lru_cache(maxsize=4096)
def _understand(text: str) -> tuple[Meaning, ...]:
    said = [words for words in map(normalise, sentences(text)[:MOST_SENTENCES]) if words]
    found = [_wholes(words) for words in said]
    if len(said) > 1 and [] in found and (joined := _whole(normalise(text))):
        return (joined,)
    found = [wholes or _inside(words) for words, wholes in zip(said, found, strict=True)]
    besides = [meanings for meanings in found if not meanings or not all(meaning.intent.alone for meaning in meanings)]
    # Said twice is meant once: "Stop! Stop!"
    return tuple(meaning for meaning, _ in groupby(chain.from_iterable(besides or found[:1])))


def _wholes(words: str) -> list[Meaning]:
    """The intents that cover all words, joined by "and"."""
    if whole := _whole(words):
        return [whole]
    parts = [_whole(part) for part in _AND.split(words)]
    return [part for part in parts if part] if None not in parts else []


def _whole(words: str) -> Meaning | None:
    """The intent that covers all words."""
    matches = ((intent, intent.matcher.fullmatch(words)) for intent in load_rulebook().intents)
    return next((_meaning(intent, found) for intent, found in matches if found), None)


def _inside(words: str) -> list[Meaning]:
    """The intent that covers most of the words, two at least, with nothing denied before it."""
    best: list[Meaning] = []
    most = max(1, words.count(" ") // 2)
    for intent in load_rulebook().intents:
        for found in intent.matcher.finditer(words):
            covered = found[0].count(" ")
            meaning = _meaning(intent, found)
            # Any words are said back only to who asks for nothing else.
            if covered > most and not meaning.slot("phrase") and not _NOT.search(words[: found.start()]):
                best, most = [meaning], covered
    return best


def _meaning(intent: Intent, found: re.Match[str]) -> Meaning:
    slots = ((name.rpartition("_")[0], words) for name, words in found.groupdict().items() if words is not None)
    return Meaning(intent, tuple((name, words.strip()) for name, words in slots))
