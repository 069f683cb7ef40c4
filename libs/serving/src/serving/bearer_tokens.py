"""Who may call? Whoever sends one of the bearer tokens of a file, which may be replaced while the server serves."""

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from serving.tokens_file import MAX_BYTES, digest, parse

log = logging.getLogger(__name__)

_SCHEME = "bearer "
_LOOK_EVERY_S = 1.0


class BadTokens(OSError):
    """The file gives no token; the sentence names it."""


class BearerTokens:
    """The tokens of a file, kept as digests only, and who holds them.

    A file that is gone later, or can't be used, changes nothing; one without a token lets nobody in.
    """

    def __init__(self, file: Path) -> None:
        """Raises BadTokens when there is none."""
        self._file = file
        self._trouble = ""
        self._looked_at = time.monotonic()
        self._seen = _stamp(file)
        self._holders = self._read()
        if not self._holders:
            raise BadTokens(f"{file} holds no token; write one on each line")

    @property
    def holders(self) -> Mapping[bytes, str]:
        """The holder's name by the digest of the token; the file is looked at once a second."""
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self.look()
        return self._holders

    def holder(self, token: str) -> str | None:
        """The name of who holds it; None = nobody."""
        # Digests are looked up, not tokens: how long it takes tells nothing of a token.
        return self.holders.get(digest(token))

    def look(self) -> None:
        """Accept what stands in the file now."""
        self._looked_at = time.monotonic()
        seen = _stamp(self._file)
        if seen == self._seen:
            return
        try:
            holders = self._read()
        except BadTokens as error:
            self._note(f"the tokens stay as they are: {error}")
            return
        self._seen = seen
        self._note("" if holders else f"{self._file} holds no token: every call is refused")
        if holders != self._holders:
            self._holders = holders
            log.info("%d tokens are accepted from now on", len(holders))

    def _read(self) -> Mapping[bytes, str]:
        try:
            with self._file.open("rb") as opened:
                return parse(opened.read(MAX_BYTES + 1))
        except OSError as error:
            raise BadTokens(f"{self._file} can't be read ({error.strerror or error})") from None
        except ValueError as error:
            raise BadTokens(f"{self._file} {error}") from None

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning(trouble)
        self._trouble = trouble


def sent_token(authorization: str) -> str | None:
    """The token of this header; None = it holds none."""
    return authorization[len(_SCHEME) :] if authorization.lower().startswith(_SCHEME) else None


def authorization(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """The header of this name in a call's metadata; "" = there is none."""
    sent = next((value for name, value in metadata or () if name == "authorization"), "")
    return sent if isinstance(sent, str) else ""


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced or written; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
