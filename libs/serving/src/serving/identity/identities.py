"""Who calls? The holder of a token, by the schemes that the operator has set, tried in a fixed order.

1. The tokens file (API keys): looked up by digest.
2. A client secret: it begins with ek_.
3. A JWT: it has the form of one.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from serving.bearer_tokens import BearerTokens
from serving.identity.client_secrets import PREFIX, SecretClaims, SecretKeys, opened
from serving.identity.errors import NotIdentified, Unaccepted, Unfit
from serving.identity.identity import NOTHING, Identity
from serving.identity.jwt_scheme import JwtScheme
from serving.identity.jwt_verifier import MAX_TOKEN_CHARS, looks_like_jwt
from serving.identity.sent_tokens import Headers, sent_token
from serving.identity.usage_limits import BadLimits, UsageLimits
from serving.renewed_files import RenewedFiles


class Identities:
    """The schemes of one server. Without any, everybody may call."""

    def __init__(
        self,
        tokens: BearerTokens | None = None,
        jwt: JwtScheme | None = None,
        secrets: RenewedFiles[SecretKeys] | SecretKeys | None = None,
    ) -> None:
        """`secrets` sign and verify client secrets, those of the process where no file is named."""
        self._tokens = tokens
        self._jwt = jwt
        self._secrets = secrets

    @property
    def are_asked_for(self) -> bool:
        """Whether a caller needs a token."""
        return self._tokens is not None or self._jwt is not None

    @property
    def secret_keys(self) -> SecretKeys | None:
        """What signs client secrets now."""
        return self._secrets.content if isinstance(self._secrets, RenewedFiles) else self._secrets

    @property
    def trouble(self) -> str:
        """Why the issuer's keys could not be fetched at the last try; "" = nothing is wrong."""
        return self._jwt.trouble if self._jwt is not None else ""

    async def identify(self, headers: Headers) -> Identity:
        """Who sent these headers, or this metadata. Raises NotIdentified."""
        if not self.are_asked_for:
            return self._open(headers)
        return await self.holder(sent_token(headers))

    async def holder(self, token: str) -> Identity:
        """Who holds this token. Raises NotIdentified."""
        if len(token) > MAX_TOKEN_CHARS:
            raise Unaccepted
        if self._tokens is not None and (name := self._tokens.holder(token)) is not None:
            return Identity(name)
        if token.startswith(PREFIX) and (keys := self.secret_keys) is not None:
            return _of_secret(opened(token, keys))
        if self._jwt is None or not looks_like_jwt(token):
            raise Unaccepted
        claims = await self._jwt.read(token)
        return Identity(claims.identity, claims.scopes, _limits(claims.limits))

    def look(self) -> None:
        """At every file that may have changed, so that a bad one is told before a caller needs it."""
        if self._tokens is not None:
            self._tokens.look()
        if self._jwt is not None:
            self._jwt.look()
        _ = self.secret_keys

    async def run(self) -> None:
        """Keep fetched keys fresh, until cancelled."""
        if self._jwt is not None:
            await self._jwt.run()
        await asyncio.Event().wait()

    def _open(self, headers: Headers) -> Identity:
        """Everybody may call, with any token or none; a client secret still says what its calls get."""
        keys = self.secret_keys
        secret = next((one for one in _sent(headers) if one.startswith(PREFIX)), "")
        return _of_secret(opened(secret, keys)) if secret and keys is not None else Identity()


def _limits(claim: object) -> Mapping[str, float]:
    """What the issuer says of this caller's limits. Raises Unfit."""
    if claim is None:
        return NOTHING
    try:
        UsageLimits().overridden(claim)
    except BadLimits as error:
        raise Unfit("claim", f"the claim of this token for limits {error}") from None
    return MappingProxyType(dict(claim)) if isinstance(claim, Mapping) else NOTHING


def _of_secret(claims: SecretClaims) -> Identity:
    return Identity(claims.identity, claims.scopes, claims.limits, claims.session, is_client_secret=True)


def _sent(headers: Headers) -> list[str]:
    try:
        return [sent_token(headers)]
    except NotIdentified:
        return []
