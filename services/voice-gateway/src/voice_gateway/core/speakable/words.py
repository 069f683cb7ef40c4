"""Which words does a voice get for a phrase, and which written ones do they stand for?"""

import re
from collections.abc import Callable
from typing import Literal, TypeAlias

from voice_gateway.core.language import Language
from voice_gateway.core.speakable.phrase import SpeakablePhrase, Word
from voice_gateway.core.speakable.rules import Rules, rules

Verbalise: TypeAlias = Literal["auto", "words", "none"]

_HINT = re.compile(r"[\d#*<>≤≥=^~×$€£¥₹]|://|\bwww\.", re.IGNORECASE)
"""Without one of these a phrase is spoken as it is written."""
_LOOSE = re.compile(r"\s+(?=[.,!?;:)।])")
_RIVAS_OWN = ("magpie", "english-us", "fastpitch", "radtts", "german-de", "italian-it", "spanish-", "mandarin-cn")
"""How the names of voices begin that normalise text themselves."""


def wording(language: Language, voice: str, verbalise: Verbalise) -> Callable[[str], SpeakablePhrase]:
    """What makes the words of a phrase for this voice."""
    numbers = verbalise == "words" or (verbalise == "auto" and not voice.casefold().startswith(_RIVAS_OWN))
    found = rules(
        language.tag, language.sign_names, signs=verbalise != "none", numbers=numbers, words=verbalise == "words"
    )
    return lambda phrase: _worded(phrase, found)


def _worded(phrase: str, found: Rules) -> SpeakablePhrase:
    words: list[Word] = []
    written = spoken = ""
    for part, said in _parts(phrase, found):
        if part is said:  # as it is written
            first, *more = re.split(r"\s+", part)
            written, spoken = written + first, spoken + first
            for word in more:
                _add(words, written, spoken)
                written = spoken = word
        else:
            written, spoken = written + part, spoken + said
    _add(words, written, spoken)
    return SpeakablePhrase(tuple(words))


def _add(words: list[Word], written: str, spoken: str) -> None:
    if written:
        if spoken is not written:
            spoken = _LOOSE.sub("", " ".join(spoken.split()))
        words.append(Word(written, spoken))


def _parts(phrase: str, found: Rules) -> list[tuple[str, str]]:
    """What is written and how it is said, in turn."""
    if not _HINT.search(phrase):
        return [(phrase, phrase)]
    parts, at = [], 0
    for match in found.find(phrase):
        said = found.say(match)
        if said is None:
            continue
        before = phrase[at : match.start()]
        parts += [(before, before), (match[0], said)]
        at = match.end()
    rest = phrase[at:]
    return [*parts, (rest, rest)]
