"""Who calls? Whoever holds the credential that came with the request, at every edge."""

from serving.bearer_tokens import BearerTokens, sent_token

from voice_gateway.edges.limits import Limits
from voice_gateway.edges.refusal_delay import RefusalDelay
from voice_gateway.errors import Unauthorised


class Callers:
    """Those who may call: the holders of `tokens`, or without tokens everybody."""

    def __init__(self, tokens: BearerTokens | None, limits: Limits) -> None:
        self._tokens = tokens
        self._refusal_delay = RefusalDelay(limits)

    async def identify(self, authorization: str) -> str:
        """The name of who sent this `authorization` header ("" = none was sent); "" = everybody may call.

        Raises Unauthorised, a moment after it was asked."""
        if self._tokens is None:
            return ""
        try:
            return _holder(self._tokens, authorization)
        except Unauthorised:
            await self._refusal_delay.pause()
            raise


def _holder(tokens: BearerTokens, authorization: str) -> str:
    token = sent_token(authorization)
    if token is None:
        raise Unauthorised('this gateway wants a token; send the header or metadata "authorization: Bearer TOKEN"')
    name = tokens.holder(token)
    if name is None:
        raise Unauthorised("this token is not accepted; ask the operator for one")
    return name
