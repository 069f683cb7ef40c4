"""What credential came with a WebSocket? Any that every edge takes, or a token of any signs in a subprotocol's name."""

import base64
import binascii
from collections.abc import Iterable

from serving.identity.sent_tokens import Headers

from voice_gateway.errors import Unauthorised

PREFIX = "base64url.bearer.voice_workflow."
"""As Kubernetes does: the token follows, in base64url without padding, for a subprotocol's name takes few signs."""


def with_offered(headers: Headers, offered: Iterable[str]) -> Headers:
    """The headers, and for each token that is offered as a subprotocol one with that. Raises Unauthorised for a
    subprotocol that holds no token."""
    yield from headers
    for name in offered:
        if name.startswith(PREFIX):
            yield "authorization", f"Bearer {_token(name.removeprefix(PREFIX))}"


def _token(encoded: str) -> str:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthorised(
            f"the subprotocol {PREFIX}… holds no token in base64url; encode it without padding"
        ) from None
