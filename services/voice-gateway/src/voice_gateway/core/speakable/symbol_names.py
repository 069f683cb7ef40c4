"""How is a lone sign said? Voices leave some out ("<") or mistake them for markup (Riva reserves * and <)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SymbolNames:
    """The words of one language."""

    star: str
    hash: str
    number: str
    sharp: str
    times: str
    equals: str
    less: str
    greater: str
    less_is: str
    """Between two things."""
    greater_is: str
    at_most: str
    at_least: str
    about: str
    power: str
    to: str
    """In a range."""


_ENGLISH = SymbolNames(
    "star", "hash", "number", "sharp", "times", "equals", "less than", "greater than", "is less than",
    "is greater than", "at most", "at least", "about", "to the power of", "to",
)  # fmt: skip
SYMBOL_NAMES = {
    "en": _ENGLISH,
    "de": SymbolNames(
        "Stern", "Raute", "Nummer", "sharp", "mal", "gleich", "weniger als", "mehr als", "kleiner als",
        "größer als", "höchstens", "mindestens", "etwa", "hoch", "bis",
    ),
    "es": SymbolNames(
        "asterisco", "almohadilla", "número", "sharp", "por", "es igual a", "menos de", "más de", "es menor que",
        "es mayor que", "como máximo", "como mínimo", "unos", "elevado a", "a",
    ),
    "fr": SymbolNames(
        "étoile", "dièse", "numéro", "sharp", "fois", "égale", "moins de", "plus de", "est inférieur à",
        "est supérieur à", "au plus", "au moins", "environ", "puissance", "à",
    ),
}  # fmt: skip
"""By language; of others the voice makes what it can."""
AMERICAN_HASH = "pound"
