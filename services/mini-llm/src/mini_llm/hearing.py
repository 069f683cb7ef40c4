"""What did the caller mean? Text as a person types it or a recogniser writes it -> matched intents."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mini_llm.numbers import digits_words
from mini_llm.rulebook import Intent, Rulebook, load_rulebook

LONGEST_WORDS = 60
"""Words of one message that are looked at; nobody says more in one breath, and matching stays quick."""

_SYMBOLS = {
    "+": " plus ",
    "\N{MULTIPLICATION SIGN}": " times ",
    "\N{DIVISION SIGN}": " divided by ",
    "=": " ",
    "\N{SUPERSCRIPT TWO}": " squared",
}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)\s*([x*/-])\s*(?=\d)")
_BETWEEN = {"x": " times ", "*": " times ", "/": " divided by ", "-": " minus "}
_FILLERS = frozenset({"um", "uh", "uhm", "er", "hmm", "mm", "mhm"})
_NOT = frozenset({"not", "don't", "never", "no"})
_SENTENCE_END = re.compile(r"(?<=[.?!])\s+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """One intent found in what was said, with the words of its slots in the order they came."""

    intent: Intent
    slots: tuple[tuple[str, str], ...]

    def slot(self, name: str) -> str:
        """Words of the first slot of that name, "" when there is none."""
        return next((words for slot, words in self.slots if slot == name), "")

    def values(self, name: str) -> tuple[str, ...]:
        """Words of every slot of that name."""
        return tuple(words for slot, words in self.slots if slot == name)


def speakable(text: str) -> str:
    """The text with digits as words and without signs nobody can say; case and punctuation kept."""
    said = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    said = _BETWEEN_NUMBERS.sub(lambda found: _BETWEEN[found[1]], said)
    said = re.sub(r"(?<=\d),(?=\d{3})", "", said)
    for symbol, words in _SYMBOLS.items():
        said = said.replace(symbol, words)
    said = _DIGITS.sub(lambda found: f" {digits_words(found[0])} ", said)
    said = re.sub(r"[^\w\s.,?!;:'-]|_", " ", said)
    return re.sub(r"\s+(?=[.,?!;:])", "", " ".join(said.split()))


def normalise(text: str) -> str:
    """Lower-case words, each followed by one space; digits as words, no punctuation, no "um"."""
    words = _WORD.findall(speakable(text).lower())
    return "".join(f"{word} " for word in words[:LONGEST_WORDS] if word not in _FILLERS)


def understand(text: str) -> tuple[Meaning, ...]:
    """Everything meant by a message, in the order it was said; empty when nothing was understood.

    The whole message is tried first, then sentence by sentence (at most three), each first as a whole, then as
    an intent hidden among other words.
    """
    return _understand(text[:2000])


@lru_cache(maxsize=4096)
def _understand(text: str) -> tuple[Meaning, ...]:
    rulebook = load_rulebook()
    whole = _match_whole(normalise(text), rulebook)
    if whole is not None:
        return (whole,)
    sentences = [normalise(sentence) for sentence in _SENTENCE_END.split(text)[:8]]
    found = [_match_whole(words, rulebook) or _match_inside(words, rulebook) for words in sentences if words]
    meanings = [meaning for meaning in found if meaning is not None]
    if len(meanings) > 1 and meanings[0].intent.name == "greeting":
        meanings = meanings[1:]
    return tuple(meanings[:3])


def _match_whole(words: str, rulebook: Rulebook) -> Meaning | None:
    """The intent that covers all words, or all but openers ("okay", "well") and closers ("please")."""
    for start in _opened(words, rulebook.openers):
        for intent in rulebook.intents:
            found = intent.matcher.fullmatch(words, start)
            if found is not None:
                return _meaning(intent, found.groupdict())
    front, _, last = words.rstrip().rpartition(" ")
    return _match_whole(f"{front} ", rulebook) if front and last in rulebook.closers else None


def _opened(words: str, openers: Collection[str]) -> Iterator[int]:
    """Where the message may begin: at its first word, and after each opener in front."""
    position = 0
    for word in words.split():
        yield position
        if word not in openers:
            return
        position += len(word) + 1


def _match_inside(words: str, rulebook: Rulebook) -> Meaning | None:
    """The intent that covers most of the words: two at least, two in five, and nothing denied before it."""
    spoken = words.split()
    best: tuple[int, Meaning] | None = None
    for intent in rulebook.intents:
        for found in intent.matcher.finditer(words):
            if found.start() > 0 and words[found.start() - 1] != " ":
                continue
            covered = len(found[0].split())
            denied = _NOT & set(words[: found.start()].split())
            enough = covered >= 2 and covered * 5 >= len(spoken) * 2
            if enough and not denied and (best is None or covered > best[0]):
                best = (covered, _meaning(intent, found.groupdict()))
    return best[1] if best else None


def _meaning(intent: Intent, groups: Mapping[str, str | None]) -> Meaning:
    named = [(name.rpartition("_"), words) for name, words in groups.items() if words is not None]
    return Meaning(intent, tuple((name[0], words.strip()) for name, words in named))
