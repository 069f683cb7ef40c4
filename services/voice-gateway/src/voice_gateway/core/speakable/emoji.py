"""Which signs are only pictures? Unicode's pictographs with their joiners and skin tones, flags, typed smileys.

Digits, #, * and © are emoji by Unicode's table, too, and stay; a keycap becomes its digit.
"""

import regex

_PICTURE = (
    r"(?:[\p{Extended_Pictographic}--[©®™‼⁉ℹ]]|\p{Regional_Indicator})"
    r"(?:[\p{Emoji_Modifier}\uFE0E\uFE0F\u20E3\U000E0020-\U000E007F]|\u200D)*"
)
_SMILEY = r"(?<!\S)[:;]['-]?[)(DPp|](?![\w/])"
_PICTURES = regex.compile(rf"(?:{_PICTURE}|{_SMILEY})+", regex.VERSION1)
_BEFORE_SIGN = regex.compile(rf"\s+(?:(?:{_PICTURE}|{_SMILEY})\s*)+(?=[.,!?…]|[;:](?!['-]?[)(DPp|]))", regex.VERSION1)
_SELECTORS = regex.compile(r"[\uFE0E\uFE0F\u20E3]")
_ANY = regex.compile(rf"[\uFE0E\uFE0F\u20E3]|{_PICTURE}|[:;]['-]?[)(DPp|]", regex.VERSION1)


def without_emoji(text: str) -> str:
    """`text` without pictures; the spaces around them are left."""
    if not _ANY.search(text):
        return text
    return _SELECTORS.sub("", _PICTURES.sub(" ", _BEFORE_SIGN.sub("", text)))
