"""Who may call, and how much at once? Whoever sends a token of the operator's file, so many requests of each."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from serving.bearer_tokens import BearerTokens, authorization, sent_token

from speech_server.core.requests.session_secret import opened
from speech_server.errors import Busy, Unauthorised

MISSING = "This server wants a token; send it as authorization: Bearer TOKEN."
_UNKNOWN = "This token is not accepted; ask the operator for one."
_NO_SESSION = "This session secret is not accepted, or its time is over; open another session."


class Tokens:
    """The accepted tokens, and what each of them holds now."""

    def __init__(self, accepted: BearerTokens, most_each: int, retry_after_ms: int) -> None:
        """`most_each`: requests of one token at once; 0 = as many as there are places."""
        self._accepted = accepted
        self._most_each = most_each
        self._retry_after_ms = retry_after_ms
        self._held: Counter[str] = Counter()

    def check(self, header: str) -> str:
        """The name of who holds the token of this header or metadata. Raises Unauthorised."""
        token = sent_token(header)
        if token is None:
            raise Unauthorised(MISSING)
        name = self._accepted.holder(token)
        if name is None:
            raise Unauthorised(_UNKNOWN)
        return name

    def check_session(self, secret: str) -> str:
        """The same for the secret of a realtime session. Raises Unauthorised."""
        holders = self._accepted.holders
        token_digest = opened(secret, holders, time.time())
        if token_digest is None:
            raise Unauthorised(_NO_SESSION)
        return holders[token_digest]

    def check_metadata(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
        """The same for gRPC. Raises Unauthorised."""
        return self.check(authorization(metadata))

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
