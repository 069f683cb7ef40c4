"""How many tokens does a text take? An estimate from its characters by script; the server's own count corrects it.

No tokenizer is needed: each model has its own, and only the server knows which. The weights are those of Llama 3's, the
hungriest of the larger vocabularies in most scripts (docs/memory.md has the measurement): English is estimated 20 % too
long, German, Spanish and Hindi are within 10 %. `Scale` learns the rest from the first answer on.

A request's texts are measured with every turn, on the event loop. So nothing looks at characters one by one: the first
byte of a character in UTF-8 tells its script, and counting one byte value in 64 KiB takes microseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

MESSAGE_TOKENS = 5
"""What a chat template puts around each message: "<|start_header_id|>user<|end_header_id|>\\n\\n" and "<|eot_id|>"."""
REQUEST_TOKENS = 32
"""What it adds once: Llama 3.1's dates, and the header of the answer."""

_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \n"
_NOT_ASCII = bytes(range(0x80, 0x100))
_LETTER, _SIGN = 0.25, 1.0
"""Of ASCII: a token has four letters; each digit and each sign is one."""
_BY_FIRST_BYTE = (
    (range(0xC2, 0xCE), 1.5),  # Latin letters with accents
    (range(0xCE, 0xD0), 0.5),  # Greek
    (range(0xD0, 0xD4), 0.35),  # Cyrillic
    (range(0xD4, 0xD8), 1.0),  # Armenian, Hebrew
    (range(0xD8, 0xE0), 0.45),  # Arabic
    (range(0xE0, 0xE2), 1.4),  # Tamil, Bengali and others; Devanagari and Thai are taken off below
    (range(0xE2, 0xE3), 1.0),  # typographic signs
    (range(0xE3, 0xE4), 0.8),  # kana
    (range(0xE4, 0xEA), 1.0),  # Chinese
    (range(0xEA, 0xEE), 0.7),  # Korean
    (range(0xEE, 0xF0), 1.0),  # full-width signs
    (range(0xF0, 0xF5), 2.5),  # emoji
)
_LESS_THAN_THEIR_NEIGHBOURS = ((b"\xe0\xa4", 0.78), (b"\xe0\xa5", 0.78), (b"\xe0\xb8", 0.8), (b"\xe0\xb9", 0.8))
_SCRIPT_OF = bytes(
    next((script for script, (first, _) in enumerate(_BY_FIRST_BYTE) if byte in first), 0xFF) for byte in range(256)
)
_NO_FIRST_BYTE = bytes(range(0xC0))


def estimate(text: str) -> int:
    """Tokens of a text. Example: "Around half past seven?" is 22 letters and spaces and a sign: 7."""
    raw = text.encode(errors="replace")
    signs = len(raw.translate(None, _LETTERS + _NOT_ASCII))
    tokens = _SIGN * signs
    if text.isascii():
        return ceil(tokens + _LETTER * (len(raw) - signs))
    tokens += _LETTER * (len(raw) - len(raw.translate(None, _LETTERS)))
    scripts = raw.translate(_SCRIPT_OF, _NO_FIRST_BYTE)
    for script, (_, weight) in enumerate(_BY_FIRST_BYTE):
        tokens += weight * scripts.count(script)
    for prefix, less in _LESS_THAN_THEIR_NEIGHBOURS:
        tokens -= less * raw.count(prefix)
    return ceil(tokens)


def beginning(text: str, tokens: int) -> str:
    """As much of `text` as fits into so many tokens, up to the end of a word, and "…"; unchanged when all fits."""
    if estimate(text) <= tokens:
        return text
    chars = _fitting(len(text), lambda chars: estimate(text[:chars] + "…") <= tokens)
    whole, space, _ = text[:chars].rpartition(" ")
    return (whole if space else text[:chars]) + "…" if chars else ""


def end(text: str, tokens: int) -> str:
    """The same from behind: who speaks long ends with what is wanted."""
    if estimate(text) <= tokens:
        return text
    chars = _fitting(len(text), lambda chars: estimate("…" + text[len(text) - chars :]) <= tokens)
    _, space, whole = text[len(text) - chars :].partition(" ")
    return "…" + (whole if space else text[len(text) - chars :]) if chars else ""


def _fitting(most: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `most` that fits."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server counted."""

    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Tokens of this model for each estimated one."""

    factor: float = 1.0

    def corrected(self, estimated: int, counted: int) -> "Scale":
        """After the server counted a request. More than estimated holds at once, less only slowly, and neither without
        bounds: a server that counts what its cache had not, or nothing, must not make requests overflow."""
        if estimated <= 0 or counted <= 0:
            return self
        seen = min(max(counted / estimated, 0.7), 4.0)
        return Scale(seen if seen > self.factor else 0.8 * self.factor + 0.2 * seen)

    def tokens(self, estimated: int) -> int:
        """Of an estimate."""
        return ceil(self.factor * estimated)

    def within(self, tokens: int) -> int:
        """The largest estimate that takes no more than so many tokens."""
        return int(tokens / self.factor)
