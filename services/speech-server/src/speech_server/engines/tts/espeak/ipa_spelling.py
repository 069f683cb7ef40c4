"""How is IPA written in eSpeak NG's own letters? For its English voices; other languages have other letters."""

from speech_server.errors import BadRequest

_LETTERS = {
    "tʃ": "tS", "dʒ": "dZ", "eɪ": "eI", "aɪ": "aI", "ɔɪ": "OI", "oʊ": "oU", "əʊ": "oU", "aʊ": "aU", "ɪə": "i@",
    "iː": "i:", "ɑː": "A:", "ɔː": "O:", "uː": "u:", "ɜː": "3:", "ɝ": "3:", "ɚ": "3", "ɪ": "I", "i": "i", "ɛ": "E",
    "e": "E", "æ": "a", "a": "a", "ɑ": "A:", "ɒ": "0", "ɔ": "O:", "ʊ": "U", "u": "u:", "ʌ": "V", "ə": "@", "ɜ": "3:",
    "o": "oU", "ɐ": "a#", "ᵻ": "I#", "θ": "T", "ð": "D", "ʃ": "S", "ʒ": "Z", "ŋ": "N", "ɹ": "r", "r": "r", "ɾ": "t",
    "ɡ": "g", "ʔ": "?", "x": "x", "ˈ": "'", "ˌ": ",", "'": "'", "ː": ":", ".": "", "ˑ": "", "͡": "", " ": "||",
    **{letter: letter for letter in "bdfghjklmnpstvwz"},
}  # fmt: skip
_LONGEST = max(map(len, _LETTERS))


def spell(ipa: str) -> str:
    """Phonemes eSpeak NG reads inside a text. Raises BadRequest for a symbol it has no letter for."""
    spelt: list[str] = []
    at = 0
    while at < len(ipa):
        piece = next((ipa[at : at + size] for size in range(_LONGEST, 0, -1) if ipa[at : at + size] in _LETTERS), None)
        if piece is None:
            raise BadRequest(f"custom_dictionary: {ipa[at]!r} in {ipa!r} is no IPA phoneme of English; write IPA.")
        spelt.append(_LETTERS[piece])
        at += len(piece)
    return f"[[{''.join(spelt)}]]"
