"""How does eSpeak NG's IPA become Kokoro's numbers? Kokoro learned one letter for a diphthong or an affricate. Pure."""

from collections.abc import Mapping

LONGEST = 510
"""Symbols a text may have beside the two ends."""
END = 0
TIE = "^"
"""eSpeak NG puts it between the letters of one sound."""

_EVERYWHERE = {
    "ʔˌn̩": "tn", "ʔn̩": "tn", "ʔn": "tn", "ʔ": "t", "a^ɪ": "I", "a^ʊ": "W", "d^ʒ": "ʤ", "e^ɪ": "A", "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y", "t^s": "ʦ", "d^z": "ʣ", "ʲ": "", "\u0303": "", "\u0329": "",
}  # fmt: skip
_ENGLISH = {"ə^l": "ᵊl", "ɚɹ": "əɹ", "ɚ": "əɹ", "r": "ɹ", "x": "k", "ç": "k", "ɐ": "ə", "ɬ": "l"}
_AMERICAN = {"o^ʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "e": "A", "ː": ""}
_BRITISH = {"e^ə": "ɛː", "iə": "ɪə", "ə^ʊ": "Q", "e": "A"}


def symbols(ipa: str, language: str) -> str:
    """IPA as Kokoro was taught it. `language` as in en-US."""
    tables = [_EVERYWHERE]
    if language.startswith("en"):
        tables += [_ENGLISH, _AMERICAN if language == "en-US" else _BRITISH]
    for table in tables:
        for sound in sorted(table, key=len, reverse=True):
            ipa = ipa.replace(sound, table[sound])
    return ipa.replace(TIE, "")


def numbers(symbols: str, vocabulary: Mapping[str, int]) -> list[int]:
    """The model's input without its ends; what it has no number for is left out, what is too long cut off."""
    return [vocabulary[symbol] for symbol in symbols if symbol in vocabulary][:LONGEST]
