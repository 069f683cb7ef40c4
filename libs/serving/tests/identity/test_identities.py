"""Who holds a token, by each scheme, and what a client secret stands for on any pod."""

import contextlib
import time
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving.bearer_tokens import BearerTokens
from serving.identity.client_secrets import MAX_SESSION_BYTES, SecretClaims, minted, opened, own_keys, parse
from serving.identity.errors import Missing, NotIdentified, OutOfScope, Unaccepted, Unfit
from serving.identity.identities import Identities
from serving.identity.jwt_scheme import JwtScheme
from serving.identity.jwt_verifier import JwtPolicy
from serving.identity.key_file import key_file
from serving.identity.signing_keys import from_pem
from serving.identity.usage_limits import UsageLimits
from serving.renewed_files import BadFiles
from token_maker import AUDIENCE, ISSUER, public_pem, token

KEYS = parse(b"# the newest first\nk2: " + b"n" * 40 + b"\nk1: " + b"o" * 40 + b"\n")
OLD = parse(b"k1: " + b"o" * 40)
CLAIMS = SecretClaims("team-a", frozenset({"voice:call"}), {"calls": 2}, {"type": "realtime", "instructions": "Grüezi"})


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    tokens, pem = tmp_path / "tokens", tmp_path / "keys.pem"
    tokens.write_text("team-a: first-secret\n")
    pem.write_bytes(public_pem())
    policy = JwtPolicy(ISSUER, (AUDIENCE,), limits_claim="limits")
    return Identities(BearerTokens(tokens), JwtScheme(policy, [key_file(pem, from_pem, "KEYS")]), KEYS)


async def test_each_scheme_has_its_tokens(identities: Identities) -> None:
    assert (await identities.identify([("x-api-key", "first-secret")])).name == "team-a"
    found = await identities.identify([("authorization", f"Bearer {token(scope='a b', limits={'calls': 3})}")])
    assert (found.name, found.scopes, found.limits_over(UsageLimits(1)).calls) == ("anna", frozenset("ab"), 3)
    secret, _ = minted(CLAIMS, KEYS, time.time(), 60)
    browser = await identities.identify([("sec-websocket-protocol", f"realtime, openai-insecure-api-key.{secret}")])
    assert (browser.name, browser.limits, browser.is_client_secret) == ("team-a", {"calls": 2}, True)
    assert browser.session["instructions"] == "Grüezi"


async def test_what_no_scheme_knows_is_refused(identities: Identities) -> None:
    with pytest.raises(Missing):
        await identities.identify([])
    for wrong in ("wrong", "ek_", "ek_wrong", "ey.ey.ey", token(number=1), "x" * 9000, f"ek_{token()}"):
        with pytest.raises(Unaccepted):
            await identities.identify([("authorization", f"Bearer {wrong}")])
    with pytest.raises(Unfit, match="claim of this token for limits"):
        await identities.identify([("authorization", f"Bearer {token(limits={'calls': 'many'})}")])


async def test_without_a_scheme_everybody_may_call_and_a_client_secret_still_counts() -> None:
    everybody = Identities(secrets=KEYS)
    assert not everybody.are_asked_for
    for headers in ([], [("authorization", "Bearer sk-whatever")], [("x-api-key", "a"), ("api-key", "b")]):
        assert (await everybody.identify(headers)).name == ""
    secret, _ = minted(SecretClaims("", None, {}, {"type": "realtime"}), KEYS, time.time(), 60)
    assert (await everybody.identify([("authorization", f"Bearer {secret}")])).session == {"type": "realtime"}
    late, _ = minted(CLAIMS, KEYS, time.time() - 100, 60)
    with pytest.raises(Unfit, match="expired"):
        await everybody.identify([("authorization", f"Bearer {late}")])


async def test_a_scope_that_is_needed_must_be_there(identities: Identities) -> None:
    narrow = await identities.holder(token(scope="a"))
    narrow.check("")
    narrow.check("a")
    with pytest.raises(OutOfScope, match="lacks the scope b"):
        narrow.check("b")
    (await identities.holder("first-secret")).check("b")


def test_a_secret_is_accepted_by_every_pod_with_its_key_until_its_time_is_over() -> None:
    now = time.time()
    old, expires_at = minted(CLAIMS, OLD, now, 60)
    assert expires_at == int(now) + 60
    assert opened(old, OLD) == opened(old, KEYS) == CLAIMS
    new, _ = minted(CLAIMS, KEYS, now, 60)
    assert opened(new, KEYS) == CLAIMS
    with pytest.raises(Unaccepted):  # the key that signed it is not there (any more)
        opened(new, OLD)
    with pytest.raises(Unaccepted):
        opened(minted(CLAIMS, own_keys(), now, 60)[0], own_keys())
    with pytest.raises(Unfit, match="expired"):
        opened(minted(CLAIMS, KEYS, now - 100, 60)[0], KEYS)
    assert new.startswith("ek_")
    assert set(new) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_secret_can_not_be_changed_or_made_of_another_token() -> None:
    secret, _ = minted(CLAIMS, KEYS, time.time(), 60)
    for place in range(3, len(secret)):
        changed = secret[:place] + ("A" if secret[place] != "A" else "B") + secret[place + 1 :]
        with contextlib.suppress(NotIdentified):
            assert opened(changed, KEYS) == CLAIMS  # the last bits of a base64 text may mean nothing
    key = KEYS.by_kid["k2"]
    others = {"sub": "root", "exp": time.time() + 60}
    for made in (
        jwt.encode({**others, "aud": "voice"}, key, "HS256", headers={"kid": "k2"}),
        jwt.encode(others, key, "HS256", headers={"kid": "k2"}),
        jwt.encode({**others, "aud": "voice-workflow client secret"}, "", "none", headers={"kid": "k2"}),
        jwt.encode({**others, "aud": "voice-workflow client secret"}, key * 2, "HS512", headers={"kid": "k2"}),
        jwt.encode({"sub": "root", "aud": "voice-workflow client secret"}, key, "HS256", headers={"kid": "k2"}),
    ):
        with pytest.raises(NotIdentified):
            opened(f"ek_{made}", KEYS)


def test_a_session_that_fits_into_no_header_is_refused() -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_SESSION_BYTES} bytes"):
        minted(SecretClaims("a", None, {}, {"instructions": "x" * MAX_SESSION_BYTES}), KEYS, time.time(), 60)
    full = SecretClaims("a" * 128, None, {}, {"instructions": "x" * (MAX_SESSION_BYTES - 30)})
    assert len(minted(full, KEYS, time.time(), 60)[0]) < 8000


UNUSABLE = b"", b"# none", b"k1 " + b"x" * 40, b"k1: short", b"\xff", b"k: " + b"x" * 40 + b"\nk: " + b"y" * 40


@pytest.mark.parametrize("content", UNUSABLE)
def test_a_file_of_keys_that_can_not_be_used_is_refused_without_showing_one(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"holds no key|is no text|can't be used for its line") as refused:
        parse(content)
    assert "xxxx" not in str(refused.value)
    assert "short" not in str(refused.value)


@given(st.text(max_size=200), st.text(max_size=60))
def test_garbage_is_no_secret(garbage: str, tail: str) -> None:
    for made in (garbage, f"ek_{garbage}", f"ek_{garbage}.{tail}.{tail}"):
        with pytest.raises(NotIdentified):
            opened(made, KEYS)


def test_a_file_of_keys_is_named_when_it_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadFiles, match="keys can't be read"):
        key_file(tmp_path / "keys", parse, "KEYS")
