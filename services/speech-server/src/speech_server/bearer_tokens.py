"""Who may call? Whoever sends one of the bearer tokens of a file, which may be replaced while the server serves."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from speech_server.core.requests.error_text import bounded
from speech_server.core.requests.session_secret import opened
from speech_server.core.tokens_file import MAX_BYTES, digest, parse
from speech_server.errors import Busy, Unauthorised

log = logging.getLogger(__name__)

MISSING = "This server wants a token; send it as authorization: Bearer TOKEN."
_UNKNOWN = "This token is not accepted; ask the operator for one."
_NO_SESSION = "This session secret is not accepted, or its time is over; open another session."
_SCHEME = "bearer "
_LOOK_EVERY_S = 1.0


class BadTokens(Exception):
    """The file gives no token; the sentence names it."""


class Tokens:
    """The tokens of a file, kept as digests only, and what each of them holds now.

    A file that is gone later, or can't be used, changes nothing; one without a token lets nobody in. Raises BadTokens
    when there is none at the start.
    """

    def __init__(self, file: Path, most_each: int, retry_after_ms: int) -> None:
        """`most_each`: requests of one token at once; 0 = as many as there are places."""
        self._file = file
        self._most_each = most_each
        self._retry_after_ms = retry_after_ms
        self._held: Counter[str] = Counter()
        self._trouble = ""
        self._looked_at = time.monotonic()
        self._seen = _stamp(file)
        try:
            self._holders = self._read()
        except (OSError, ValueError) as error:
            raise BadTokens(f"SPEECH_TOKENS_FILE: {_why(file, error)}") from error
        if not self._holders:
            raise BadTokens(f"SPEECH_TOKENS_FILE: {file} holds no token; write one a line")

    def check(self, authorization: str) -> str:
        """The name of who holds the token of this header or metadata. Raises Unauthorised."""
        self._look()
        if not authorization.lower().startswith(_SCHEME):
            raise Unauthorised(MISSING)
        # Digests are looked up, not tokens: how long it takes tells nothing of a token.
        name = self._holders.get(digest(authorization[len(_SCHEME) :]))
        if name is None:
            raise Unauthorised(_UNKNOWN)
        return name

    def check_session(self, secret: str) -> str:
        """The same for the secret of a realtime session. Raises Unauthorised."""
        self._look()
        token_digest = opened(secret, self._holders, time.time())
        if token_digest is None:
            raise Unauthorised(_NO_SESSION)
        return self._holders[token_digest]

    def check_metadata(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
        """The same for gRPC. Raises Unauthorised."""
        sent = next((value for name, value in metadata or () if name == "authorization"), "")
        return self.check(sent if isinstance(sent, str) else "")

    @contextmanager
    def holding(self, name: str) -> Iterator[None]:
        """One request of this holder, for the length of the block. Raises Busy beyond what one may hold."""
        if self._most_each and self._held[name] >= self._most_each:
            raise Busy(
                f"All {self._most_each} requests that one token may have at once are running; "
                "try again after retry-after-ms.",
                self._retry_after_ms,
            )
        self._held[name] += 1
        try:
            yield
        finally:
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]

    def _look(self) -> None:
        """Accept what stands in the file now; looked at once a second."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        seen = _stamp(self._file)
        if seen == self._seen:
            return
        try:
            holders = self._read()
        except (OSError, ValueError) as error:
            self._note(f"the tokens stay as they are: {_why(self._file, error)}")
            return
        self._seen = seen
        self._note("" if holders else f"{self._file} holds no token: every request is refused")
        if holders != self._holders:
            self._holders = holders
            log.info("%d tokens are accepted from now on", len(holders))

    def _read(self) -> Mapping[bytes, str]:
        with self._file.open("rb") as opened:
            return parse(opened.read(MAX_BYTES + 1))

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning(trouble)
        self._trouble = trouble


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced or written; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _why(file: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{file} can't be read ({error.strerror or error})"
    return bounded(f"{file} {error}")
