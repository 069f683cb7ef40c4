"""Who may call? Whoever sends one of the bearer tokens of a file, which may be replaced while the gateway serves."""

import hmac
import logging
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from voice_gateway.errors import Unauthorised

log = logging.getLogger(__name__)

_SCHEME = "bearer "


class Tokens:
    """The tokens of a file, one a line, kept as digests only. Raises OSError, with a sentence, when there is none at
    the start. Later a file that is gone changes nothing; one that holds no token closes the door."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._digests = self._read()
        self._trouble = ""
        if not self._digests:
            raise OSError(f"{file} holds no token; write one a line")

    def look(self) -> None:
        """Accept what stands in the file now."""
        try:
            digests = self._read()
        except OSError as error:
            self._note(f"the tokens stay as they are: {error}")
            return
        self._note("" if digests else f"{self._file} holds no token: every call is refused")
        if digests != self._digests:
            self._digests = digests
            log.info("%d tokens are accepted from now on", len(digests))

    def check(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> None:
        """Raises Unauthorised unless the call's metadata holds an accepted token."""
        sent = next((value for name, value in metadata or () if name == "authorization"), "")
        if not isinstance(sent, str) or not sent.lower().startswith(_SCHEME):
            raise Unauthorised('this gateway wants a token; send the metadata "authorization: Bearer TOKEN"')
        digest = _digest(sent[len(_SCHEME) :])
        # All of them are compared, each in constant time: how long it takes tells nothing.
        if not sum(hmac.compare_digest(digest, known) for known in self._digests):
            raise Unauthorised("this token is not accepted; ask the operator for one")

    def _read(self) -> frozenset[bytes]:
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except UnicodeError:
            raise OSError(f"{self._file} is no text; write one token a line") from None
        return frozenset(_digest(line) for line in lines if line.strip())

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning(trouble)
        self._trouble = trouble


def _digest(token: str) -> bytes:
    return sha256(token.strip().encode()).digest()
