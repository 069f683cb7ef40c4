"""Whose call is this? Of whoever holds the bearer token in the call's metadata."""

from collections.abc import Iterable

from serving.bearer_tokens import BearerTokens, authorization, sent_token

from voice_gateway.errors import Unauthorised


def identity(tokens: BearerTokens, metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """The name of who holds the token. Raises Unauthorised without an accepted one."""
    token = sent_token(authorization(metadata))
    if token is None:
        raise Unauthorised('this gateway wants a token; send the metadata "authorization: Bearer TOKEN"')
    name = tokens.holder(token)
    if name is None:
        raise Unauthorised("this token is not accepted; ask the operator for one")
    return name
