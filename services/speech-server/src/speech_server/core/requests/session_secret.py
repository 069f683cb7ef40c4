"""How does a client that opened a session over HTTP show that on the session's WebSocket? By a secret of its token.

Nothing is remembered: any pod with the same tokens file can check the secret, and it ends with the token. Form:
`EXPIRES.HOLDER.MAC`, with the Unix time at which it ends, the beginning of the token's digest, and an HMAC by it.
"""

import hmac
from collections.abc import Iterable

_HOLDER_BYTES = 8


def session_secret(token_digest: bytes, expires_at: int) -> str:
    """Fits into a subprotocol."""
    return f"{expires_at}.{token_digest[:_HOLDER_BYTES].hex()}.{_mac(token_digest, expires_at)}"


def opened(secret: str, token_digests: Iterable[bytes], now: float) -> bytes | None:
    """The digest of the token the secret was made of; None = of none of them, or its time is over."""
    expires, _, rest = secret.partition(".")
    holder, _, mac = rest.partition(".")
    if not (expires.isascii() and expires.isdecimal() and len(expires) <= 12) or int(expires) < now:
        return None
    for token_digest in token_digests:
        if token_digest[:_HOLDER_BYTES].hex() == holder:
            made = _mac(token_digest, int(expires))
            return token_digest if hmac.compare_digest(made.encode(), mac.encode("utf-8", "replace")) else None
    return None


def _mac(token_digest: bytes, expires_at: int) -> str:
    return hmac.new(token_digest, str(expires_at).encode(), "sha256").hexdigest()
