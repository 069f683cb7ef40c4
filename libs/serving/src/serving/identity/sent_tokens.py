"""Which token came with a request? From its headers, or the metadata of an RPC; a browser's from the subprotocol.

authorization: Bearer TOKEN                                 everybody
x-api-key: TOKEN    api-key: TOKEN                          clients that know API keys only
sec-websocket-protocol: realtime, openai-insecure-api-key.TOKEN     a browser, which can set no header
"""

from collections.abc import Iterable, Iterator

from serving.identity.errors import Ambiguous, Missing

SUBPROTOCOL = "openai-insecure-api-key."
_SCHEME = "bearer "
_KEY_HEADERS = ("x-api-key", "api-key")

Headers = Iterable[tuple[str, str | bytes]]
"""Names and values as they came, a name as often as it came."""


def sent_token(headers: Headers) -> str:
    """The one token. Raises Missing, or Ambiguous for several different ones or two authorization headers."""
    found = list(_tokens(headers))
    if len(set(found)) > 1:
        raise Ambiguous
    if not found or not found[0]:
        raise Missing
    return found[0]


def offered_token(protocols: str) -> str | None:
    """What a browser offers as its key among a WebSocket's subprotocols; None = nothing. Raises Ambiguous."""
    offered = [one.strip() for one in protocols.split(",")]
    keys = {one.removeprefix(SUBPROTOCOL) for one in offered if one.startswith(SUBPROTOCOL)}
    if len(keys) > 1:
        raise Ambiguous
    return keys.pop() if keys else None


def _tokens(headers: Headers) -> Iterator[str]:
    authorizations = 0
    for sent, value in headers:
        name = sent.lower()
        if not isinstance(value, str):
            continue
        if name == "authorization":
            authorizations += 1
            if authorizations > 1:  # two readers of it may take two different ones
                raise Ambiguous
            if value.lower().startswith(_SCHEME):
                yield value[len(_SCHEME) :].strip()
        elif name in _KEY_HEADERS:
            yield value.strip()
        elif name == "sec-websocket-protocol" and (key := offered_token(value)):
            yield key
