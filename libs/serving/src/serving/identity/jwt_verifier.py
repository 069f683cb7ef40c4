"""Is this token (JWT, RFC 7519) one of ours, and what does it say? Signature first, then what it claims.

What the caller is told depends on the signature. Whoever shows a token that one of our keys signed has it from our
issuer, and learns what is wrong with it. Anybody else learns only that it is not accepted.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jwt

from serving.identity.errors import Unaccepted, Unfit
from serving.identity.signing_keys import SigningKey

MAX_TOKEN_CHARS = 8000
"""Of what fits into the headers of a request."""
MAX_HEADER_CHARS = 2048
MAX_TRIES = 16
"""Keys that are tried on one token: a signature takes 50 to 100 µs to verify."""
MAX_NAME_CHARS = 128
_REQUIRED = ("exp", "iss", "aud")


@dataclass(frozen=True, slots=True)
class JwtPolicy:
    """What must stand in a token."""

    issuer: str
    audiences: tuple[str, ...]
    identity_claim: str = "sub"
    limits_claim: str = ""
    """"" = no claim changes the limits."""
    clock_skew_s: float = 30.0
    """A clock that is so much ahead or behind is forgiven."""


@dataclass(frozen=True, slots=True)
class JwtHeader:
    """What a token says of its signature, which anybody can write."""

    algorithm: str
    kid: str


@dataclass(frozen=True, slots=True)
class JwtClaims:
    """What an accepted token says."""

    identity: str
    scopes: frozenset[str]
    limits: object = None
    """What stands in the claim for limits; None = nothing."""


def looks_like_jwt(token: str) -> bool:
    """Whether it has the form of one."""
    return token.count(".") == 2 and token.startswith("ey")


def header(token: str) -> JwtHeader:
    """Read before anything is verified. Raises Unaccepted."""
    if len(token) > MAX_TOKEN_CHARS:
        raise Unaccepted
    encoded = token.partition(".")[0]
    if len(encoded) > MAX_HEADER_CHARS:
        raise Unaccepted
    said = _object(_decoded(encoded))
    algorithm, kid = said.get("alg"), said.get("kid", "")
    # crit names what must be understood (RFC 7515 section 4.1.11), and nothing of it is understood here.
    if not isinstance(algorithm, str) or not isinstance(kid, str) or "crit" in said or "b64" in said:
        raise Unaccepted
    return JwtHeader(algorithm, kid)


def candidates(found: JwtHeader, keys: Iterable[SigningKey]) -> list[SigningKey]:
    """The keys that may have signed a token with this header."""
    fitting = [key for key in keys if key.may_have_signed(found.algorithm, found.kid)]
    # Those of this very name first: keys without one are there for tokens of any.
    return sorted(fitting, key=lambda key: key.kid != found.kid)[:MAX_TRIES]


def verified(token: str, keys: Iterable[SigningKey], policy: JwtPolicy) -> JwtClaims:
    """What the token claims. Raises Unaccepted, or Unfit where a key of ours signed it and it is not good now."""
    found = header(token)
    for key in candidates(found, keys):
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[found.algorithm],
                audience=policy.audiences,
                issuer=policy.issuer,
                leeway=policy.clock_skew_s,
                options={"require": [*_REQUIRED], "verify_sub": False, "verify_jti": False},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise _reason(error, policy) from None
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise Unaccepted from None
        return _read(token, claims, policy)
    raise Unaccepted


def _reason(error: jwt.PyJWTError, policy: JwtPolicy) -> Exception:
    """PyJWT looks at claims only after it has verified the signature."""
    match error:
        case jwt.ExpiredSignatureError():
            return Unfit("expired", "this token has expired; get a new one")
        case jwt.ImmatureSignatureError():
            return Unfit("not_yet_valid", "this token is not valid yet; wait, or set the clock that made it")
        case jwt.InvalidAudienceError():
            wanted = " or ".join(policy.audiences)
            return Unfit("audience", f"this token is for another audience; get one whose aud is {wanted}")
        case jwt.InvalidIssuerError():
            return Unfit("issuer", f"this token is of another issuer; get one of {policy.issuer}")
        case jwt.MissingRequiredClaimError(claim=claim):
            return Unfit("claim", f"this token has no {claim}; get one with exp, iss and aud")
    return Unaccepted()


def _read(token: str, claims: dict[str, Any], policy: JwtPolicy) -> JwtClaims:
    _object(_decoded(token.split(".")[1]))  # a claim that stands there twice means one thing here, another elsewhere
    name = claims.get(policy.identity_claim)
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_CHARS or not name.isprintable():
        wanted = f"1 to {MAX_NAME_CHARS} printable characters"
        raise Unfit("claim", f"this token has no {policy.identity_claim} that names its holder ({wanted})")
    limits = claims.get(policy.limits_claim) if policy.limits_claim else None
    return JwtClaims(name, _scopes(claims.get("scope")) | _scopes(claims.get("scp")), limits)


def _scopes(claim: object) -> frozenset[str]:
    """One text with spaces, or a list."""
    if isinstance(claim, str):
        return frozenset(claim.split())
    return frozenset(one for one in claim if isinstance(one, str)) if isinstance(claim, list) else frozenset()


def _decoded(segment: str) -> bytes:
    try:
        return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        raise Unaccepted from None


def _object(content: bytes) -> dict[str, Any]:
    """A JSON object in which no name stands twice. Raises Unaccepted."""
    try:
        said = json.loads(content, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        raise Unaccepted from None
    if not isinstance(said, dict):
        raise Unaccepted
    return said


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found
