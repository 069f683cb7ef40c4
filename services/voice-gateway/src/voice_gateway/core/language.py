"""Which words does a call need in its caller's language? One frozen entry a language, and how a tag finds its own."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """What is said and listened for in one language. Words are casefolded; a phrase of several has single spaces."""

    tag: str
    """BCP 47, such as "de-DE"."""
    idle_prompt: str = ""
    """Asked into silence."""
    apology: str = ""
    """Said where the language model fails."""
    fillers: frozenset[str] = frozenset()
    """Sounds of somebody who thinks: "um"."""
    connectives: frozenset[str] = frozenset()
    """Words after which a sentence goes on: "and", "the", "because"."""
    number_words: frozenset[str] = frozenset()
    """Digits as they are read out, and what stands between them: "zero", "oh", "double"."""
    spelling_words: frozenset[str] = frozenset()
    """What stands between the parts of an address that is read out: "at", "dot", "dash"."""
    backchannels: frozenset[str] = frozenset()
    """What a listener says who wants no turn: "mhm", "okay", "I see"."""


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages that are known, by casefolded tag."""

    by_tag: Mapping[str, Language]

    def find(self, tag: str) -> Language:
        """The entry of `tag`, else of its language in another country ("de" and "de-AT" find "de-DE"), else an empty
        one: then no word list helps, and the deployment's own sentences are said."""
        wanted = tag.casefold()
        if found := self.by_tag.get(wanted):
            return found
        primary = wanted.partition("-")[0]
        near = (entry for known, entry in self.by_tag.items() if known.partition("-")[0] == primary)
        return next(near, Language(tag))
