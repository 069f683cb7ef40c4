"""Keys and tokens, made while a test runs."""

import json
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from serving.identity.jwt_verifier import JwtPolicy

ISSUER, AUDIENCE = "https://login.example", "voice"
POLICY = JwtPolicy(ISSUER, (AUDIENCE,))


@cache
def private_key(kind: str, number: int = 0) -> Any:
    """One of several keys of a kind: RSA, EC or Ed25519."""
    del number
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1()) if kind == "EC" else ed25519.Ed25519PrivateKey.generate()


ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "Ed25519": "EdDSA"}
_MAKERS: Mapping[str, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "Ed25519": OKPAlgorithm}


def public_pem(kind: str = "RSA", number: int = 0) -> bytes:
    """The public half, as in a file."""
    return bytes(private_key(kind, number).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def jwk(kind: str = "RSA", number: int = 0, **more: Any) -> dict[str, Any]:
    """The public half, as in a JWKS."""
    return {**_MAKERS[kind].to_jwk(private_key(kind, number).public_key(), as_dict=True), **more}


def jwks(*keys: Mapping[str, Any]) -> bytes:
    """What an issuer publishes."""
    return json.dumps({"keys": list(keys)}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """Those of a good token, with some changed; None = it lacks that one."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "exp": int(time.time()) + 600, **changed}
    return {name: value for name, value in good.items() if value is not None}


def token(
    kind: str = "RSA", number: int = 0, kid: str = "", header: Mapping[str, Any] | None = None, **changed: Any
) -> str:  # only read
    """A signed token."""
    names = {"kid": kid} if kid else {}
    return jwt.encode(
        claims(**changed), private_key(kind, number), ALGORITHMS[kind], headers={**names, **(header or {})}
    )
