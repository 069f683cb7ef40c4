"""What does a call need to know of its caller's language? One frozen entry a language, and how a tag finds its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class SignNames:
    """How lone signs are said: voices leave some out ("<") or mistake them for markup (Riva reserves * and <).
    A sign without a name is left to the voice."""

    star: str = ""
    hash: str = ""
    number: str = ""
    sharp: str = ""
    times: str = ""
    equals: str = ""
    less: str = ""
    greater: str = ""
    less_is: str = ""
    """Between two things."""
    greater_is: str = ""
    at_most: str = ""
    at_least: str = ""
    about: str = ""
    power: str = ""
    to: str = ""
    """In a range."""


@dataclass(frozen=True, slots=True)
class Language:
    """What is asked of the backends, said and listened for in one language. Words are casefolded; a phrase of several
    has single spaces. A sentence that is empty is not said."""

    tag: str
    """BCP 47, such as "de-DE"."""
    asr_language: str = ""
    """What recognition calls it; "" = the tag."""
    asr_model: str = ""
    """Name of the recognition model; "" = the server chooses."""
    tts_language: str = ""
    """What synthesis calls it; "" = the tag."""
    voice: str = ""
    """Name of the voice; "" = the server chooses."""
    system_prompt: str = ""
    """How the agent behaves."""
    answer_in: str = ""
    """Tells the model to answer in this language, after a prompt that is written in another one."""
    greeting: str = ""
    """Said first."""
    idle_prompt: str = ""
    """Asked into silence."""
    goodbye: str = ""
    """Said before the gateway hangs up on silence."""
    call_warning: str = ""
    """Said when the longest duration of a call is near."""
    apology: str = ""
    """Said where the language model, or the voice, fails in the middle of an answer."""
    not_understood: str = ""
    """Said where recognition brought no word of what was spoken."""
    cannot_hear: str = ""
    """Said where recognition is lost and the call must end."""
    tool_fillers: tuple[str, ...] = ()
    """Said while a tool takes long, in turn."""
    fillers: frozenset[str] = frozenset()
    """Sounds of somebody who thinks: "um"."""
    connectives: frozenset[str] = frozenset()
    """Words after which a sentence goes on: "and", "the", "because"."""
    link_words: frozenset[str] = frozenset()
    """Words after which it mostly goes on; a sentence sign says that it does not: "to", "is", "in"."""
    answers: frozenset[str] = frozenset()
    """What is a whole turn by itself: "yes", "no thanks"."""
    openers: frozenset[str] = frozenset()
    """Words with which a turn begins, and which are none alone: "well", "so"."""
    corrections: frozenset[str] = frozenset()
    """What is said before a part of a number is said again: "no", "sorry", "I mean"."""
    digit_words: frozenset[str] = frozenset()
    """Digits as they are read out: "zero", "oh", "five"."""
    number_words: frozenset[str] = frozenset()
    """Other numbers of one word that no digit follows: "twelve"."""
    tens: frozenset[str] = frozenset()
    """Numbers that a digit may follow: "twenty"."""
    scales: frozenset[str] = frozenset()
    """What makes a number an amount and no row of digits: "hundred"."""
    repeats: frozenset[str] = frozenset()
    """What says a digit or letter more than once: "double"."""
    number_digits: int = 10
    """Digits after which a number that is read out may be whole: those of a telephone number."""
    number_cues: frozenset[str] = frozenset()
    """Phrases before a number or code that is read out: "number is"."""
    address_cues: frozenset[str] = frozenset()
    """Phrases before an e-mail address: "email is"."""
    street_cues: frozenset[str] = frozenset()
    """Phrases before a street address: "my address is"."""
    postal_cues: frozenset[str] = frozenset()
    """Phrases before a postal code: "zip code is"."""
    postal_digits: int = 0
    """Digits of a postal code, which ends a street address; 0 = not known."""
    at_words: frozenset[str] = frozenset()
    """How "@" is said."""
    dot_words: frozenset[str] = frozenset()
    """How the "." of an address is said."""
    spelling_words: frozenset[str] = frozenset()
    """What else stands between the parts of an address or code that is read out: "dash", "slash"."""
    spelled_like: frozenset[str] = frozenset()
    """What stands between a letter and the word that explains it: b "as in" boy."""
    backchannels: frozenset[str] = frozenset()
    """What a listener says who wants no turn: "mhm", "okay", "I see"; and sounds that are no word yet: "um"."""
    abbreviations: frozenset[str] = frozenset()
    """Words whose point ends no sentence, without that point: those that are ordinary words in other languages."""
    sign_names: SignNames | None = None
    """None = signs are left to the voice."""


_SCRIPT_LETTERS, _COUNTRY_LETTERS = 4, 2


def canonical(tag: str) -> str:
    """A tag as BCP 47 writes it: "EN_us" is en-US, "ZH-hant-TW" zh-Hant-TW."""
    first, *others = tag.strip().replace("_", "-").split("-")
    written = {_SCRIPT_LETTERS: str.title, _COUNTRY_LETTERS: str.upper}
    return "-".join([first.lower(), *(written.get(len(part), str.lower)(part) for part in others)])


_ANY = ("multi", "mul", "*")
"""What a model that recognises many languages calls them."""


def served_as(tag: str, have: Sequence[str]) -> str:
    """Which of a server's languages `tag` is: the same one, whatever its case, else the same in another country (en-GB
    may be served by en-US); "" = none."""
    wanted = tag.casefold().replace("_", "-")
    known = {one.casefold().replace("_", "-"): one for one in have}
    if wanted in known:
        return known[wanted]
    if near := next((one for name, one in known.items() if name.split("-")[0] == wanted.split("-")[0]), ""):
        return near
    return tag if any(name in known for name in _ANY) else ""


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages that are known, by casefolded tag; of several countries' the first one stands for the language."""

    by_tag: Mapping[str, Language]
    otherwise: Language = Language("")
    """What holds in any other language: no word list helps, and the deployment's own sentences are said."""

    def find(self, tag: str) -> Language:
        """The entry of `tag`, else of its language in another country ("de" and "de-AT" find "de-DE"), else
        `otherwise`."""
        wanted = tag.casefold().replace("_", "-")
        if found := self.by_tag.get(wanted):
            return found
        primary = wanted.partition("-")[0]
        near = (entry for known, entry in self.by_tag.items() if known.partition("-")[0] == primary)
        return next(near, None) or replace(self.otherwise, tag=tag)

    def spoken(self, tag: str) -> Language:
        """The entry under the caller's own tag: "en-GB" has dates of its own, though its words are those of en-US. A
        tag without a country is the one that is known."""
        found = self.find(tag)
        return found if "-" not in tag or found.tag.casefold() == tag.casefold() else replace(found, tag=tag)
