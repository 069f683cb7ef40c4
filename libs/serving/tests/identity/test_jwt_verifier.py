"""A token is accepted when a key of ours signed it and it is good now; anything else is refused, and how is exact."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving.identity.errors import Unaccepted, Unfit
from serving.identity.jwt_verifier import MAX_TOKEN_CHARS, JwtPolicy, looks_like_jwt, verified
from serving.identity.signing_keys import from_jwks, from_pem, from_secret
from token_maker import ALGORITHMS, ISSUER, POLICY, claims, jwk, jwks, private_key, public_pem, token

KEYS = from_pem(public_pem())
SECRET = "a secret of at least thirty-two characters"


def segment(value: object) -> str:
    """One of the three parts of a token."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed_by_hand(header: bytes | Mapping[str, Any], payload: bytes | Mapping[str, Any], secret: bytes) -> str:
    """With HMAC, whatever the header says."""
    signed = f"{segment(header)}.{segment(payload)}"
    return f"{signed}.{segment(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_a_token_of_each_kind_of_key_is_accepted(kind: str) -> None:
    for keys in (from_pem(public_pem(kind)), from_jwks(jwks(jwk(kind, kid="k1")))):
        found = verified(token(kind, kid="k1", scope="voice:call voice:mint", scp=["more", 1]), keys, POLICY)
        assert (found.identity, found.scopes) == ("anna", frozenset({"voice:call", "voice:mint", "more"}))


def test_a_shared_secret_verifies_hmac_and_nothing_else() -> None:
    keys = from_secret(f"{SECRET}\n".encode())
    assert verified(jwt.encode(claims(), SECRET, "HS256"), keys, POLICY).identity == "anna"
    assert [sorted(key.algorithms) for key in from_secret(b"x" * 64)] == [["HS256", "HS384", "HS512"]]
    for other in (token(), jwt.encode(claims(), f"{SECRET}!", "HS256")):
        with pytest.raises(Unaccepted):
            verified(other, keys, POLICY)


REFUSED: Mapping[str, str] = {
    "unsigned, alg none": f"{segment({'alg': 'none'})}.{segment(claims())}.",
    "unsigned, alg None": f"{segment({'alg': 'None'})}.{segment(claims())}.",
    "unsigned, alg RS256": f"{segment({'alg': 'RS256'})}.{segment(claims())}.",
    "no alg": f"{segment({'typ': 'JWT'})}.{segment(claims())}.{segment(b'x' * 256)}",
    "alg is a list": f"{segment({'alg': ['RS256']})}.{segment(claims())}.{segment(b'x' * 256)}",
    "HMAC with the public key's text": signed_by_hand({"alg": "HS256"}, claims(), public_pem()),
    "RS256 that is HMAC": signed_by_hand({"alg": "RS256"}, claims(), public_pem()),
    "another key": token(number=1),
    "another kind of key": token("EC"),
    "a header name twice": signed_by_hand(b'{"alg":"HS256","alg":"RS256"}', claims(), public_pem()),
    "a header that must be understood": token(header={"crit": ["exp"], "exp": 1}),
    "a key of its own": token(number=1, header={"jwk": jwk(number=1)}),
    "keys elsewhere": token(number=1, header={"jku": "https://evil.example/jwks", "x5u": "https://evil.example"}),
    "a header of lists in lists": f"{segment(b'[' * 100_000)}.{segment(claims())}.AAAA",
    "a short header of lists in lists": f"{segment(b'[' * 1400)}.{segment(claims())}.AAAA",
    "a header that is no object": f"{segment([1])}.{segment(claims())}.AAAA",
    "two parts": ".".join(token().split(".")[:2]),
    "four parts": f"{token()}.AAAA",
    "five parts, as encrypted ones have": f"{token()}.AAAA.AAAA",
    "a changed claim": ".".join((token().split(".")[0], segment(claims(sub="root")), token().split(".")[2])),
    "huge": token(more="x" * MAX_TOKEN_CHARS),
    "signs of no alphabet": "ey€.ey€.ey€",
    "half a letter": "ey\ud800.ey.ey",
    "empty": "",
    "dots": "..",
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_no_key_of_ours_signed_is_refused_and_nothing_is_said_of_why(why: str) -> None:
    with pytest.raises(Unaccepted) as refused:
        verified(REFUSED[why], KEYS, POLICY)
    assert str(refused.value) == "this token is not accepted; ask the operator for one"


NOW = int(time.time())


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"exp": NOW - 31}, "expired", "has expired"),
        ({"nbf": NOW + 300}, "not_yet_valid", "not valid yet"),
        ({"iat": NOW + 300}, "not_yet_valid", "not valid yet"),
        ({"aud": "another"}, "audience", "aud is voice"),
        ({"aud": ["another", "third"]}, "audience", "aud is voice"),
        ({"aud": None}, "claim", "no aud"),
        ({"iss": "https://other.example"}, "issuer", ISSUER),
        ({"iss": None}, "claim", "no iss"),
        ({"exp": None}, "claim", "no exp"),
        ({"sub": None}, "claim", "no sub"),
        ({"sub": ""}, "claim", "no sub"),
        ({"sub": 7}, "claim", "no sub"),
        ({"sub": "a\nb"}, "claim", "no sub"),
        ({"sub": "a" * 129}, "claim", "no sub"),
    ],
)
def test_the_holder_of_a_token_that_is_not_good_learns_what_is_wrong(
    changed: dict[str, Any], kind: str, words: str
) -> None:
    with pytest.raises(Unfit, match=words) as refused:
        verified(token(**changed), KEYS, POLICY)
    assert refused.value.kind == kind


@pytest.mark.parametrize(("claim", "off_s"), [("exp", -20), ("nbf", 20)])
def test_a_clock_may_be_a_little_off(claim: str, off_s: int) -> None:
    # Of now, not of when the tests were collected: half a minute may lie in between.
    changed: dict[str, Any] = {claim: int(time.time()) + off_s}
    assert verified(token(**changed), KEYS, POLICY).identity == "anna"


def test_a_token_may_be_for_several() -> None:
    assert verified(token(aud=["another", "voice"]), KEYS, POLICY).identity == "anna"


def test_without_clock_skew_a_second_too_late_is_too_late() -> None:
    with pytest.raises(Unfit, match="expired"):
        verified(token(exp=int(time.time()) - 1), KEYS, replace(POLICY, clock_skew_s=0))


@pytest.mark.parametrize("exp", ["soon", [1], {"a": 1}, True])
def test_an_expiry_that_is_no_time_is_refused(exp: object) -> None:
    with pytest.raises((Unaccepted, Unfit)):
        verified(token(exp=exp), KEYS, POLICY)


def test_signed_claims_that_stand_there_twice_or_are_no_object_are_refused() -> None:
    for payload in (b'{"sub":"a","sub":"b"}', b"[" * 5000, b"7", b"NaN", b"\xff", b'{"exp":Infinity}'):
        signed = jwt.PyJWS().encode(payload, private_key("RSA"), "RS256")
        with pytest.raises((Unaccepted, Unfit)):
            verified(signed, KEYS, POLICY)
    doubled = json.dumps(claims())[:-1] + ',"sub":"root"}'
    with pytest.raises(Unaccepted):
        verified(jwt.PyJWS().encode(doubled.encode(), private_key("RSA"), "RS256"), KEYS, POLICY)


def test_another_claim_may_name_the_holder_and_one_the_limits() -> None:
    policy = JwtPolicy(ISSUER, ("voice", "other"), "email", "limits")
    found = verified(token(email="anna@example.org", limits={"calls": 2}, sub=None), KEYS, policy)
    assert (found.identity, found.limits, found.scopes) == ("anna@example.org", {"calls": 2}, frozenset())


def test_the_kid_of_a_token_chooses_its_key() -> None:
    keys = from_jwks(jwks(jwk(kid="old"), jwk(number=1, kid="new")))
    assert verified(token(kid="old"), keys, POLICY).identity == "anna"
    assert verified(token(number=1, kid="new"), keys, POLICY).identity == "anna"
    assert verified(token(number=1), keys, POLICY).identity == "anna"
    for wrong in (token(kid="new"), token(kid="unknown")):
        with pytest.raises(Unaccepted):
            verified(wrong, keys, POLICY)


@given(st.text(max_size=300) | st.lists(st.text(max_size=40), min_size=3, max_size=3).map(".".join))
def test_garbage_is_refused(garbage: str) -> None:
    with pytest.raises(Unaccepted):
        verified(garbage, KEYS, POLICY)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "zip"]), JSON), JSON, st.binary())
def test_no_header_makes_an_unsigned_token_good(header: dict[str, Any], payload: object, signature: bytes) -> None:
    with pytest.raises(Unaccepted):
        verified(f"{segment(header)}.{segment(payload)}.{segment(signature)}", KEYS, POLICY)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["sub", "scope", "scp", "limits", "nbf", "iat", "exp", "aud", "iss"]), JSON))
def test_no_signed_claim_makes_the_verifier_fail(changed: dict[str, Any]) -> None:
    signed = jwt.PyJWS().encode(json.dumps(claims() | changed).encode(), private_key("Ed25519"), "EdDSA")
    try:
        found = verified(signed, from_pem(public_pem("Ed25519")), replace(POLICY, limits_claim="limits"))
    except (Unaccepted, Unfit):
        return
    assert isinstance(found.identity, str)
    assert all(isinstance(scope, str) for scope in found.scopes)


def test_what_looks_like_a_jwt() -> None:
    assert [looks_like_jwt(one) for one in (token(), "ey", "a.b.c", "first-secret", "ey.a.b.c")] == [
        True, False, False, False, False,
    ]  # fmt: skip
