"""Which keys may have signed a token? Those of a JWKS, of PEM files or a shared secret, each with its algorithms.

The algorithms follow from the kind of the key, never from the token: an RSA key verifies RS256 and its like only, so a
token that names HS256 and was "signed" with the public key's text is signed by nobody.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

MAX_BYTES = 256 * 1024
"""Of a JWKS or a PEM file."""
MAX_KEYS = 100
MIN_SECRET_BYTES = 32
"""A shorter one can be guessed from a single token (RFC 7518 asks for as much with HS256)."""
_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_EDDSA = frozenset({"EdDSA"})
_HMAC = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The bytes that a secret must have for each."""
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_PEM = re.compile(rb"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----.+?-----END (?P=kind)-----", re.DOTALL)

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey


class BadKeys(ValueError):
    """These bytes give no key; the sentence says why, without a byte of them."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What verifies signatures."""

    key: PublicKey | bytes
    algorithms: frozenset[str]
    kid: str = ""
    """Its name in the header of the tokens it signed; "" = it has none, and any token may be its own."""

    def __repr__(self) -> str:
        return f"<SigningKey {self.kid or 'without a kid'} for {', '.join(sorted(self.algorithms))}>"

    def may_have_signed(self, algorithm: str, kid: str) -> bool:
        """Whether a token with this header can be its own."""
        return algorithm in self.algorithms and (not self.kid or not kid or self.kid == kid)


def from_jwks(content: bytes) -> tuple[SigningKey, ...]:
    """The keys of a JWKS (RFC 7517) that verify signatures; others in it are left out. Raises BadKeys."""
    if len(content) > MAX_BYTES:
        raise BadKeys(f"holds more than {MAX_BYTES} bytes")
    try:
        listed = json.loads(content)["keys"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise BadKeys('is no JWKS; it must be JSON such as {"keys": [...]}') from None
    if not isinstance(listed, list):
        raise BadKeys('is no JWKS; "keys" must be a list')
    if len(listed) > MAX_KEYS:
        raise BadKeys(f"holds {len(listed)} keys; {MAX_KEYS} are the most")
    found = tuple(key for one in listed if isinstance(one, dict) and (key := _from_jwk(one)))
    if not found:
        raise BadKeys("holds no public key for signatures (RSA of 2048 bits or more, EC, Ed25519)")
    return found


def from_pem(content: bytes) -> tuple[SigningKey, ...]:
    """The public keys of a PEM file, and those of its certificates. Raises BadKeys."""
    if len(content) > MAX_BYTES:
        raise BadKeys(f"holds more than {MAX_BYTES} bytes")
    found = tuple(_pem_keys(content))
    if not found:
        raise BadKeys("holds no PEM public key; it begins with -----BEGIN PUBLIC KEY-----")
    if len(found) > MAX_KEYS:
        raise BadKeys(f"holds {len(found)} keys; {MAX_KEYS} are the most")
    return found


def from_secret(content: bytes) -> tuple[SigningKey, ...]:
    """The shared secret of a file, without the line end. Raises BadKeys."""
    secret = content.strip()
    if not MIN_SECRET_BYTES <= len(secret) <= MAX_BYTES:
        raise BadKeys(f"holds {len(secret)} bytes; a shared secret has at least {MIN_SECRET_BYTES} random ones")
    if _PEM.search(secret):
        raise BadKeys("holds PEM, which is no shared secret; name a file of public keys in the setting for those")
    return (SigningKey(secret, frozenset(name for name, least in _HMAC.items() if len(secret) >= least)),)


def _from_jwk(jwk: Mapping[str, Any]) -> SigningKey | None:
    operations = jwk.get("key_ops")
    may_verify = jwk.get("use") in (None, "sig") and (not isinstance(operations, list) or "verify" in operations)
    # Whoever reads a secret key could sign tokens, and one that is served to everybody is no secret.
    if not may_verify or jwk.get("kty") not in ("RSA", "EC", "OKP") or "d" in jwk:
        return None
    try:
        key = jwt.PyJWK(dict(jwk)).key
        known = _algorithms(key)
    except (jwt.PyJWTError, BadKeys, ValueError, TypeError, OverflowError):
        return None
    named = jwk.get("alg")
    algorithms = known & {named} if isinstance(named, str) else known
    kid = jwk.get("kid", "")
    return SigningKey(key, frozenset(algorithms), kid if isinstance(kid, str) else "") if algorithms else None


def _pem_keys(content: bytes) -> Iterator[SigningKey]:
    for block in _PEM.finditer(content):
        if b"PRIVATE" in block["kind"]:
            raise BadKeys("holds a private key, which nobody needs here; give the public one")
        try:
            is_certificate = block["kind"] == b"CERTIFICATE"
            key = load_pem_x509_certificate(block[0]).public_key() if is_certificate else load_pem_public_key(block[0])
        except (ValueError, UnsupportedAlgorithm):
            raise BadKeys(f"holds a {block['kind'].decode().lower()} that can't be read") from None
        yield SigningKey(key, _algorithms(key))  # type: ignore[arg-type]  # _algorithms lets no other through


def _algorithms(key: object) -> frozenset[str]:
    """What may be signed with a key of this kind. Raises BadKeys."""
    if isinstance(key, rsa.RSAPublicKey):
        if not _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
            raise BadKeys(f"holds an RSA key of {key.key_size} bits; take {_MIN_RSA_BITS} to {_MAX_RSA_BITS}")
        return _RSA
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return frozenset({_CURVES[key.curve.name]})
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return _EDDSA
    raise BadKeys("holds a key of a kind that signs no token; take RSA, EC (P-256, P-384, P-521) or Ed25519")
