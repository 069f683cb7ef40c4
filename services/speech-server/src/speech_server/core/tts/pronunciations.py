"""How should words be pronounced? A custom dictionary the way Riva's clients write it: "word<two spaces>phonemes,...".

Phonemes are IPA, as for Riva's Magpie voices.
"""

import re
from collections.abc import Callable

from speech_server.core.requests.error_text import shown
from speech_server.errors import BadRequest

MOST_ENTRIES = 500


def parse_dictionary(text: str) -> tuple[tuple[str, str], ...]:
    """(word, phonemes) of every entry. Raises BadRequest for one without both."""
    entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
    if len(entries) > MOST_ENTRIES:
        raise BadRequest(f"custom_dictionary has {len(entries)} entries, more than {MOST_ENTRIES}; send fewer.")
    return tuple(_entry(entry) for entry in entries)


def _entry(entry: str) -> tuple[str, str]:
    word, _, phonemes = entry.partition("  ")
    if not word.strip() or not phonemes.strip():
        raise BadRequest(f'custom_dictionary entry {shown(entry)} is not "word<two spaces>phonemes"; phonemes are IPA.')
    return word.strip(), phonemes.strip()


def substitute(
    text: str, pronunciations: tuple[tuple[str, str], ...], spell: Callable[[str], str]
) -> tuple[str, list[str]]:
    """The text with `spell(phonemes)` in place of every listed word, and the words replaced, in order.

    What stands in a tag of SSML is left alone.
    """
    if not pronunciations:
        return text, []
    known = {word.lower(): phonemes for word, phonemes in pronunciations}
    words = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))
    replaced: list[str] = []

    def spelt(found: re.Match[str]) -> str:
        if found[0].startswith("<"):
            return found[0]
        replaced.append(found[0])
        return spell(known[found[0].lower()])

    return re.sub(rf"<[^<>]*>|(?<!\w)(?:{words})(?!\w)", spelt, text, flags=re.IGNORECASE), replaced
