"""Who may call? Whoever sends one of the bearer tokens of a file, which may be replaced while the gateway serves."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from voice_gateway.core.tokens import MAX_BYTES, digest, parse
from voice_gateway.errors import Unauthorised

log = logging.getLogger(__name__)

_SCHEME = "bearer "


class Tokens:
    """The tokens of a file (`core.tokens`), kept as digests only. Raises OSError, with a sentence, when there is none
    at the start. Later a file that is gone, or can't be used, changes nothing; one that holds no token closes the
    door."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._holders = self._read()
        self._trouble = ""
        if not self._holders:
            raise OSError(f"{file} holds no token; write one a line")

    def look(self) -> None:
        """Accept what stands in the file now."""
        try:
            holders = self._read()
        except OSError as error:
            self._note(f"the tokens stay as they are: {error}")
            return
        self._note("" if holders else f"{self._file} holds no token: every call is refused")
        if holders != self._holders:
            self._holders = holders
            log.info("%d tokens are accepted from now on", len(holders))

    def check(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
        """The name of who holds the token in the call's metadata. Raises Unauthorised without an accepted one."""
        sent = next((value for name, value in metadata or () if name == "authorization"), "")
        if not isinstance(sent, str) or not sent.lower().startswith(_SCHEME):
            raise Unauthorised('this gateway wants a token; send the metadata "authorization: Bearer TOKEN"')
        # Digests are looked up, not tokens: how long it takes tells nothing of a token.
        name = self._holders.get(digest(sent[len(_SCHEME) :]))
        if name is None:
            raise Unauthorised("this token is not accepted; ask the operator for one")
        return name

    def _read(self) -> Mapping[bytes, str]:
        with self._file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        try:
            return parse(content)
        except ValueError as error:
            raise OSError(f"{self._file} {error}") from None

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.warning(trouble)
        self._trouble = trouble
