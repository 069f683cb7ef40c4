"""Who holds this client secret, a token of a few minutes for a browser? It says so itself, signed with a key of ours.

Nothing is remembered: any pod with the same keys accepts it. It begins with ek_, as OpenAI's do, and what follows is a
JWT signed with HS256, so it fits into a header and into a WebSocket subprotocol. Keys are named: a new one is put in
front of the file, and the old one stays until the last secret that it signed is over.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from serving.identity.errors import Unaccepted, Unfit
from serving.identity.jwt_verifier import MAX_TOKEN_CHARS, header

PREFIX = "ek_"
MAX_SESSION_BYTES = 4096
MIN_KEY_CHARS = 32
_ALGORITHM = "HS256"
_AUDIENCE = "voice-workflow client secret"
_MAX_KEYS = 16
_LINE = re.compile(r"(?P<kid>[A-Za-z0-9][A-Za-z0-9._-]{0,63}):\s+(?P<key>[\x21-\x7e]+)")


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """Keys by their names; the first one signs."""

    by_kid: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<SecretKeys {', '.join(self.by_kid)}>"


@dataclass(frozen=True, slots=True)
class SecretClaims:
    """What a secret stands for."""

    identity: str
    scopes: frozenset[str] | None
    """None = all."""
    limits: Mapping[str, float]
    """Of the caller who asked for it, where its token says others than the operator."""
    session: Mapping[str, Any]
    """What every call that it begins gets."""


def parse(content: bytes) -> SecretKeys:
    """Lines of `NAME: KEY`, # comments. Raises ValueError with a sentence that never holds a key."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeError:
        raise ValueError("is no text; write NAME: KEY on each line") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        entry = _LINE.fullmatch(said)
        if not entry or len(entry["key"]) < MIN_KEY_CHARS or entry["kid"] in found or len(found) >= _MAX_KEYS:
            raise ValueError(
                f"can't be used for its line {number}; write NAME: KEY, {_MAX_KEYS} lines at most, each name once and "
                f"a key of {MIN_KEY_CHARS} random characters or more"
            )
        found[entry["kid"]] = entry["key"]
    if not found:
        raise ValueError("holds no key; write NAME: KEY on a line")
    return SecretKeys(found)


def own_keys() -> SecretKeys:
    """A key of this process alone."""
    return SecretKeys({"process": secrets.token_urlsafe(48)})


def minted(claims: SecretClaims, keys: SecretKeys, now: float, life_s: int) -> tuple[str, int]:
    """The secret, and the Unix time when it ends. Raises ValueError for a session that does not fit into a header."""
    session = json.dumps(claims.session, separators=(",", ":"), ensure_ascii=False)
    if len(session.encode()) > MAX_SESSION_BYTES:
        raise ValueError(
            f"session holds more than {MAX_SESSION_BYTES} bytes of JSON; send long instructions by session.update"
        )
    expires_at = int(now) + life_s
    kid, key = next(iter(keys.by_kid.items()))
    said: dict[str, Any] = {"aud": _AUDIENCE, "sub": claims.identity, "exp": expires_at, "jti": secrets.token_hex(8)}
    if claims.scopes is not None:
        said["scope"] = " ".join(sorted(claims.scopes))
    if claims.limits:
        said["limits"] = dict(claims.limits)
    if claims.session:
        said["session"] = session
    value = PREFIX + jwt.encode(said, key, _ALGORITHM, headers={"kid": kid})
    if len(value) > MAX_TOKEN_CHARS:
        raise ValueError(f"session makes a secret of {len(value)} characters; {MAX_TOKEN_CHARS} are the most")
    return value, expires_at


def opened(secret: str, keys: SecretKeys) -> SecretClaims:
    """What the secret stands for. Raises Unaccepted, or Unfit when its time is over."""
    token = secret.removeprefix(PREFIX)
    key = keys.by_kid.get(header(token).kid)
    if key is None:
        raise Unaccepted
    try:
        said = jwt.decode(
            token,
            key,
            [_ALGORITHM],
            audience=_AUDIENCE,
            options={"require": ["exp", "sub"], "verify_jti": False},
        )
        session = json.loads(said.get("session", "{}"))
    except jwt.ExpiredSignatureError:
        sentence = "this client secret has expired; get a new one by POST /v1/realtime/client_secrets"
        raise Unfit("expired", sentence) from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise Unaccepted from None
    scopes = said.get("scope")
    return SecretClaims(
        said["sub"], None if scopes is None else frozenset(scopes.split()), said.get("limits", {}), session
    )
