"""Keys come from JWKS, PEM and secrets; what can't sign a token safely is none."""

import json

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm
from serving.identity.signing_keys import MAX_BYTES, BadKeys, from_jwks, from_pem, from_secret
from token_maker import jwk, jwks, private_key, public_pem


def pem_of(key: object) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]


def test_a_file_may_hold_several_keys_and_certificates() -> None:
    certificate = trustme.CA().issue_cert("issuer").cert_chain_pems[0].bytes()
    keys = from_pem(b"# old\n" + public_pem() + b"\n# new\n" + public_pem("EC") + public_pem("Ed25519") + certificate)
    assert [sorted(key.algorithms)[0] for key in keys] == ["PS256", "ES256", "EdDSA", "ES256"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no PEM public key"),
        (b"garbage", "no PEM public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "can't be read"),
        (b"x" * (MAX_BYTES + 1), "more than"),
        (pem_of(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (pem_of(ec.generate_private_key(ec.SECP256K1())), "kind that signs no token"),
        (pem_of(x25519.X25519PrivateKey.generate()), "kind that signs no token"),
    ],
)
def test_a_file_that_gives_no_key_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(BadKeys, match=sentence):
        from_pem(content)


def test_a_private_key_is_refused() -> None:
    content = private_key("RSA").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(BadKeys, match="private key"):
        from_pem(content)


def test_of_a_jwks_only_public_keys_for_signatures_are_taken() -> None:
    private = RSAAlgorithm.to_jwk(private_key("RSA"), as_dict=True)
    small = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)
    unfit = [
        {**private, "kid": "private"},
        {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "shared"},
        jwk(kid="for encryption", use="enc"),
        jwk(kid="for signing only", key_ops=["sign"]),
        jwk(kid="RSA that says ES256", alg="ES256"),
        jwk(kid="RSA that says HS256", alg="HS256"),
        {**small, "kid": "small"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "another curve"},
        {"kty": "RSA", "n": "AA", "e": "!", "kid": "broken"},
        {"kty": ["RSA"]},
        "no object",
    ]
    for one in unfit:
        with pytest.raises(BadKeys, match="no public key for signatures"):
            from_jwks(json.dumps({"keys": [one]}).encode())
    found = from_jwks(json.dumps({"keys": [*unfit, jwk("EC", kid="good", use="sig", key_ops=["verify"])]}).encode())
    assert [(key.kid, key.algorithms) for key in found] == [("good", frozenset({"ES256"}))]
    assert repr(found[0]) == "<SigningKey good for ES256>"
    assert from_jwks(jwks(jwk(alg="PS512")))[0].algorithms == {"PS512"}


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b'{"keys": {}}', b'{"keys": []}', b"[" * 100_000, b"\xff", b"<html>"]
)
def test_what_is_no_jwks_is_refused(content: bytes) -> None:
    with pytest.raises(BadKeys):
        from_jwks(content)


def test_a_jwks_is_bounded() -> None:
    with pytest.raises(BadKeys, match="101 keys"):
        from_jwks(jwks(*[{"kty": "oct"}] * 101))
    with pytest.raises(BadKeys, match="more than"):
        from_jwks(b" " * (MAX_BYTES + 1))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_gives_no_key(content: bytes) -> None:
    for read in (from_jwks, from_pem):
        with pytest.raises(BadKeys):
            read(content)


def test_a_shared_secret_is_long_and_no_public_key() -> None:
    with pytest.raises(BadKeys, match="at least 32"):
        from_secret(b"short\n")
    with pytest.raises(BadKeys, match="PEM"):
        from_secret(public_pem())
