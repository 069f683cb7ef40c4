"""What does a tokens file say? One bearer token a line, with the name of who holds it where it is given.

    # team A: this line is a comment, and so is what follows " #" on a line
    4f1c9d0e7a
    team-b: 9b2e61c4d8   # also named: it stands in the log in place of the token

A byte order mark, empty lines, spaces around and Windows line ends do not count.
"""

import re
from collections.abc import Mapping
from hashlib import sha256

MAX_BYTES = 1024 * 1024
"""A Secret holds no more."""
MAX_TOKENS = 10_000
MAX_TOKEN_CHARS = 4096
_COMMENT = re.compile(r"(^|\s)#.*")
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._@-]{0,63}):\s+(?P<token>\S+)")
_TOKEN = re.compile(r"[\x21-\x7e]+")
"""What fits into an HTTP header."""


def digest(token: str) -> bytes:
    """How a token is kept: nobody can read it back."""
    return sha256(token.strip().encode("utf-8", "surrogatepass")).digest()


def parse(content: bytes) -> Mapping[bytes, str]:
    """The holder's name by the digest of the token. Raises ValueError with a sentence that never holds a token."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"holds more than {MAX_BYTES} bytes; write one token on each line, and fewer of them")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError:
        raise ValueError("is no text; write one token on each line") from None
    found: dict[bytes, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if said := _COMMENT.sub("", line).strip():
            name, token = _entry(number, said)
            if digest(token) in found:
                raise ValueError(f"names the token of line {number} twice; take one of the lines out")
            found[digest(token)] = name
    if len(found) > MAX_TOKENS:
        raise ValueError(f"holds {len(found)} tokens; {MAX_TOKENS} are the most")
    return found


def _entry(number: int, said: str) -> tuple[str, str]:
    named = _NAMED.fullmatch(said)
    name, token = (named["name"], named["token"]) if named else (f"line-{number}", said)
    if not _TOKEN.fullmatch(token) or len(token) > MAX_TOKEN_CHARS:
        raise ValueError(
            f"can't be used for its line {number}; write TOKEN or NAME: TOKEN (a token is up to {MAX_TOKEN_CHARS} "
            "letters, digits and signs without spaces), and comments after #"
        )
    return name, token
