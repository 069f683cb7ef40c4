"""Whose token (JWT) is this, by the keys that are known now? Asks for new keys where a token names one of them."""

from collections.abc import Sequence

from serving.identity.errors import KeysMissing, Unaccepted
from serving.identity.jwks_url import JwksUrl
from serving.identity.jwt_verifier import JwtClaims, JwtPolicy, verified
from serving.identity.signing_keys import SigningKey
from serving.renewed_files import RenewedFiles

KeyFile = RenewedFiles[tuple[SigningKey, ...]]


class JwtScheme:
    """Tokens of one issuer."""

    def __init__(self, policy: JwtPolicy, files: Sequence[KeyFile], url: JwksUrl | None = None) -> None:
        self._policy = policy
        self._files = files
        self._url = url

    async def read(self, token: str) -> JwtClaims:
        """What the token claims. Raises NotIdentified."""
        try:
            return verified(token, self._keys(), self._policy)
        except Unaccepted:
            if self._url is None:
                raise
        await self._url.renew()
        if not self._url.is_known and not self._keys():
            raise KeysMissing
        return verified(token, self._keys(), self._policy)

    @property
    def trouble(self) -> str:
        """Why the keys of the URL could not be fetched at the last try; "" = they could, or there is no URL."""
        return self._url.trouble if self._url is not None else ""

    def look(self) -> None:
        """At the files, so that a bad one is told before a caller needs it."""
        self._keys()

    async def run(self) -> None:
        """Keep the keys of the URL fresh, until cancelled; without one, return."""
        if self._url is not None:
            await self._url.run()

    def _keys(self) -> tuple[SigningKey, ...]:
        found = [key for file in self._files for key in file.content]
        return (*found, *(self._url.keys if self._url is not None else ()))
