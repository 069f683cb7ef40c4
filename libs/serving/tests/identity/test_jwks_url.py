"""Keys of an issuer are fetched in the background; a server of keys that fails in any way takes no known key away."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from serving.identity.errors import KeysMissing, Unaccepted
from serving.identity.jwks_url import JwksTimes, JwksUrl
from serving.identity.jwt_scheme import JwtScheme
from serving.identity.jwt_settings import JwtSettings, jwt_scheme
from serving.identity.signing_keys import MAX_BYTES
from serving.settings import BadSettings
from token_maker import AUDIENCE, ISSUER, POLICY, jwk, jwks, public_pem, token

QUICK = JwksTimes(refresh_s=0.01, retry_s=0.01, apart_s=0.0, deadline_s=0.2)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Issuer:
    """A server of keys that does as it is told."""

    def __init__(self) -> None:
        self.content = jwks(jwk(kid="k0"))
        self.answer: Answer | None = None
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.url = ""

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A request for the keys."""
        self.asked += 1
        self.was_asked.set()
        return await self.answer(request) if self.answer else web.Response(body=self.content)

    async def asked_again(self, times: int = 2) -> None:
        """So many more fetches began: those before the last are over."""
        for _ in range(times):
            self.was_asked.clear()
            async with asyncio.timeout(10):
                await self.was_asked.wait()


@contextlib.asynccontextmanager
async def issuer(context: ssl.SSLContext | None = None) -> AsyncIterator[Issuer]:
    there = Issuer()
    app = web.Application()
    app.router.add_get("/jwks", there.respond)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    scheme = "https" if context else "http"
    there.url = f"{scheme}://localhost:{runner.addresses[0][1]}/jwks"
    yield there
    await runner.cleanup()


@contextlib.asynccontextmanager
async def fetching(url: JwksUrl) -> AsyncIterator[JwtScheme]:
    """Tokens by the keys of this URL."""
    task = asyncio.create_task(url.run())
    yield JwtScheme(POLICY, (), url)
    task.cancel()
    await asyncio.wait({task})


async def test_a_new_key_is_fetched_when_a_token_names_it_and_the_old_one_goes() -> None:
    async with issuer() as there, fetching(JwksUrl(there.url, times=JwksTimes(apart_s=0.0))) as scheme:
        assert (await scheme.read(token(kid="k0"))).identity == "anna"
        there.content = jwks(jwk(kid="k0"), jwk(number=1, kid="k1"))
        assert (await scheme.read(token(number=1, kid="k1"))).identity == "anna"
        assert (await scheme.read(token(kid="k0"))).identity == "anna"
        there.content = jwks(jwk(number=1, kid="k1"))
        with pytest.raises(Unaccepted):
            await scheme.read(token(kid="unknown"))
        with pytest.raises(Unaccepted):
            await scheme.read(token(kid="k0"))
        assert (await scheme.read(token(number=1, kid="k1"))).identity == "anna"


async def test_tokens_that_name_unknown_keys_bring_few_fetches() -> None:
    async with issuer() as there, fetching(JwksUrl(there.url, times=JwksTimes(apart_s=60.0))) as scheme:
        await scheme.read(token(kid="k0"))
        for number in range(50):
            with pytest.raises(Unaccepted):
                await scheme.read(token(number=1, kid=f"unknown-{number}"))
        assert there.asked == 1


async def test_all_who_wait_for_a_new_key_share_one_fetch() -> None:
    async with issuer() as there, fetching(JwksUrl(there.url, times=JwksTimes(apart_s=0.0))) as scheme:
        await scheme.read(token(kid="k0"))
        there.content = jwks(jwk(number=1, kid="k1"))
        found = await asyncio.gather(*(scheme.read(token(number=1, kid="k1")) for _ in range(50)))
        assert len(found) == 50
        assert there.asked == 2


async def test_few_wait_for_a_slow_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.identity.jwks_url.MAX_WAITING", 2)
    async with issuer() as there, fetching(JwksUrl(there.url, times=JwksTimes(apart_s=0.0))) as scheme:
        await scheme.read(token(kid="k0"))
        go_on = asyncio.Event()

        async def held(_: web.Request) -> web.StreamResponse:
            await go_on.wait()
            return web.Response(body=jwks(jwk(number=1, kid="k1")))

        there.answer = held
        waiting = [asyncio.create_task(scheme.read(token(number=1, kid="k1"))) for _ in range(5)]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < 3:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        go_on.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in found].count(Unaccepted) == 3
        assert (await scheme.read(token(number=1, kid="k1"))).identity == "anna"


async def slow(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def trickling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"keys": [')
    await asyncio.Event().wait()
    return response


async def dropping(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


def of(response: Callable[[], web.Response]) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return response()

    return answer


FAULTS: dict[str, Answer] = {
    "slow": slow,
    "trickling": trickling,
    "dropping": dropping,
    "an error": of(lambda: web.Response(status=503)),
    "a redirect": of(lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/jwks"})),
    "a page": of(lambda: web.Response(text="<html>")),
    "no keys": of(lambda: web.Response(body=b'{"keys": []}')),
    "garbage": of(lambda: web.Response(body=b"\xff" * 1000)),
    "lists in lists": of(lambda: web.Response(body=b"[" * 100_000)),
    "far too much": of(lambda: web.Response(body=b" " * (MAX_BYTES * 4))),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_server_of_keys_that_fails_takes_no_key_away(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    async with issuer() as there, fetching(JwksUrl(there.url, times=QUICK)) as scheme:
        await scheme.read(token(kid="k0"))
        there.answer = FAULTS[fault]
        await there.asked_again()
        assert (await scheme.read(token(kid="k0"))).identity == "anna"
        with pytest.raises(Unaccepted):
            await scheme.read(token(number=1, kid="k1"))
        told = [record.getMessage() for record in caplog.records if "can't be fetched" in record.getMessage()]
        assert len(told) == 1
        assert "the keys that were fetched before stay" in told[0]
        there.answer, there.content = None, jwks(jwk(number=1, kid="k1"))
        await there.asked_again()
        assert (await scheme.read(token(number=1, kid="k1"))).identity == "anna"


async def test_while_no_key_was_ever_fetched_a_caller_is_told_to_come_again() -> None:
    nobody = JwksUrl("http://localhost:1/jwks", times=QUICK)
    async with fetching(nobody) as scheme:
        with pytest.raises(KeysMissing, match="try again"):
            await scheme.read(token())


async def test_keys_come_over_tls_from_a_server_of_the_named_authority_only(tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    good, other = tmp_path / "good.pem", tmp_path / "other.pem"
    authority.cert_pem.write_to_path(str(good))
    trustme.CA().cert_pem.write_to_path(str(other))
    async with issuer(context) as there:
        for file, is_trusted in ((good, True), (other, False)):
            url = JwksUrl(there.url, ssl.create_default_context(cafile=file), QUICK)
            async with fetching(url) as scheme:
                if is_trusted:
                    assert (await scheme.read(token(kid="k0"))).identity == "anna"
                else:
                    with pytest.raises(KeysMissing):
                        await scheme.read(token(kid="k0"))


# ------------------------------------------------------------------------------------------------- settings


def settings(**changed: object) -> JwtSettings:
    base: dict[str, object] = {
        "issuer": ISSUER, "audience": AUDIENCE, "jwks_url": "", "jwks_ca_file": None, "jwks_refresh_s": 300.0,
        "public_keys_file": None, "hmac_secret_file": None, "identity_claim": "sub", "limits_claim": "",
        "clock_skew_s": 30.0,
    }  # fmt: skip
    return JwtSettings(**(base | changed))  # type: ignore[arg-type]


async def test_keys_of_files_are_read_again_and_bad_ones_change_nothing(tmp_path: Path) -> None:
    pem, published = tmp_path / "keys.pem", tmp_path / "jwks.json"
    pem.write_bytes(public_pem())
    published.write_bytes(jwks(jwk("EC", kid="e")))
    for url in (str(published), published.as_uri()):
        scheme = jwt_scheme(settings(jwks_url=url, public_keys_file=pem, audience="other, voice"), "GATEWAY_JWT_")
        assert scheme
        assert (await scheme.read(token())).identity == "anna"
        assert (await scheme.read(token("EC", kid="e"))).identity == "anna"
    assert scheme
    pem.write_bytes(b"-----BEGIN")
    assert (await scheme.read(token())).identity == "anna"
    pem.write_bytes(public_pem(number=1) + public_pem("Ed25519"))
    assert (await scheme.read(token("Ed25519"))).identity == "anna"
    with pytest.raises(Unaccepted):
        await scheme.read(token())


def test_without_keys_there_is_no_scheme() -> None:
    assert jwt_scheme(settings(issuer="", audience=""), "GATEWAY_JWT_") is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "GATEWAY_JWT_ISSUER: is set without any keys"),
        ({"jwks_url": "https://login.example/jwks", "audience": ""}, "GATEWAY_JWT_ISSUER, GATEWAY_JWT_AUDIENCE: both"),
        ({"jwks_url": "https://login.example/jwks", "issuer": ""}, "GATEWAY_JWT_ISSUER, GATEWAY_JWT_AUDIENCE: both"),
        ({"jwks_url": "http://login.example/jwks"}, "GATEWAY_JWT_JWKS_URL: must be an https URL"),
        ({"jwks_url": "ftp://login.example/jwks"}, "GATEWAY_JWT_JWKS_URL: must be an https URL"),
        ({"jwks_url": "https:///jwks"}, "GATEWAY_JWT_JWKS_URL: must be an https URL"),
        ({"jwks_url": "/nowhere/jwks.json"}, "GATEWAY_JWT_JWKS_URL: /nowhere/jwks.json can't be read"),
        ({"public_keys_file": Path("/nowhere")}, "GATEWAY_JWT_PUBLIC_KEYS_FILE: /nowhere can't be read"),
        ({"hmac_secret_file": Path("/dev/null")}, "GATEWAY_JWT_HMAC_SECRET_FILE: /dev/null holds 0 bytes"),
        (
            {"jwks_url": "https://login.example/jwks", "jwks_ca_file": Path("/dev/null")},
            "GATEWAY_JWT_JWKS_CA_FILE: /dev/null holds no PEM certificate",
        ),
    ],
)
def test_settings_that_can_not_be_are_refused_by_name(changed: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadSettings, match=sentence):
        jwt_scheme(settings(**changed), "GATEWAY_JWT_")
