"""Who calls, by tokens of an issuer, API keys and client secrets, and how much each of them may have."""

import asyncio
import json
import random
import ssl
import string
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import jwt
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from certificates import Pki
from issuer import Issuer
from lab import Lab, lab
from raw_caller import Caller
from serving.identity.jwks_url import JwksTimes
from voice_workflow.v1 import voice_workflow_pb2 as pb

SECONDS_OF_SILENCE = bytes(32_000)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    """Whose tokens the gateway accepts."""
    return Issuer(tmp_path)


async def told(there: Lab, *metadata: tuple[str, str]) -> tuple[grpc.StatusCode, str]:
    """How asking what is served ends, and why."""
    caller = there.caller(reads=False)
    try:
        await caller.stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


async def code(there: Lab, authorization: str) -> grpc.StatusCode:
    """The status alone."""
    return (await told(there, ("authorization", authorization)))[0]


async def test_a_token_that_is_not_good_is_refused_and_its_holder_learns_why(
    issuer: Issuer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = tmp_path / "tokens"
    keys.write_text("team-a: an-api-key\n")
    caplog.set_level("DEBUG")
    now = int(time.time())
    unsigned = jwt.encode(issuer.claims(sub="anna"), "", "none")
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        confused = jwt.encode(issuer.claims(sub="anna"), "k0", "HS256", headers={"kid": "k0"})
    refused: Mapping[str, tuple[str, str]] = {
        "expired": (issuer.token(exp=now - 60), "has expired"),
        "early": (issuer.token(nbf=now + 60), "not valid yet"),
        "for another": (issuer.token(aud="billing"), "aud is voice"),
        "of another": (issuer.token(iss="https://evil.example"), "another issuer"),
        "of nobody": (issuer.token(sub=""), "no sub"),
        "without end": (issuer.token(exp=None), "no exp"),
        "without scope": (issuer.token(scope="voice:listen"), "lacks the scope voice:call"),
        "unsigned": (unsigned, "not accepted"),
        "alg confusion": (confused, "not accepted"),
        "cut": (issuer.token()[:-20], "not accepted"),
        "huge": (issuer.token(more="x" * 7000), ""),
        "wrong key": ("another-api-key", "not accepted"),
    }
    async with lab(
        **issuer.settings, gateway_tokens_file=keys, gateway_jwt_call_scope="voice:call", then_works=False
    ) as there:
        sent = [told(there, ("authorization", f"Bearer {token}")) for token, _ in refused.values()]
        for (name, (_, words)), (status, sentence) in zip(refused.items(), await asyncio.gather(*sent), strict=True):
            wanted = {
                "without scope": grpc.StatusCode.PERMISSION_DENIED,
                "huge": grpc.StatusCode.RESOURCE_EXHAUSTED,  # gRPC itself: more than the headers may hold
            }.get(name, grpc.StatusCode.UNAUTHENTICATED)
            assert (name, status) == (name, wanted)
            assert words in sentence, name
        good = ("authorization", issuer.bearer(scope="voice:call voice:listen"))
        assert (await told(there, good))[0] is grpc.StatusCode.OK
        for header in ("authorization", "x-api-key", "api-key"):
            value = "Bearer an-api-key" if header == "authorization" else "an-api-key"
            assert (await told(there, (header, value)))[0] is grpc.StatusCode.OK
        for several in ([good, good], [good, ("x-api-key", "an-api-key")]):
            status, sentence = await told(there, *several)
            assert (status, "several" in sentence) == (grpc.StatusCode.UNAUTHENTICATED, True)
        assert "needed here" in (await told(there))[1]
        assert await there.metric('voice_callers_refused_total{reason="expired"}') == 1
        assert await there.metric('voice_callers_refused_total{reason="unaccepted"}') == 4
    for token, _ in refused.values():
        assert token not in caplog.text


def mutated(token: str, chance: random.Random) -> str:
    """What one gets who knows a token and tries around: signs changed, parts swapped, cut or doubled."""
    parts = token.split(".")
    place = chance.randrange(len(token) - 1)
    match chance.randrange(5):
        case 0:
            return token[:place] + chance.choice("Aa0-_.~") + token[place + 1 :]
        case 1:
            return ".".join(chance.sample(parts, 3))
        case 2:
            return token[:place]
        case 3:
            return ".".join([*parts[:2], *chance.choices(parts, k=chance.randrange(1, 4))])
    return "".join(chance.choices(string.ascii_letters + string.digits + "._-~", k=chance.randrange(1, 600)))


async def test_whoever_tries_around_learns_nothing_and_disturbs_nobody(issuer: Issuer) -> None:
    good = issuer.token()
    tries = {mutated(good, random.Random(seed)) for seed in range(300)}
    async with lab(**issuer.settings, then_works=False) as there, web_port(there) as http:
        caller = there.caller(authorization=f"Bearer {good}")
        await caller.start()
        answers = await asyncio.gather(*(posted(http, {}, Authorization=f"Bearer {one}") for one in tries))
        assert len(answers) > 200
        sentences = {answer["error"]["message"] for status, answer in answers if status == 401}
        assert sentences == {"this token is not accepted; ask the operator for one"}
        # The last letter of a signature holds bits that mean nothing: the same signature, written in another way.
        assert sum(status != 401 for status, _ in answers) <= 3
        await caller.type("Is all well?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED)
        await caller.hang_up()


async def test_keys_rotate_while_calls_go_on_and_none_is_dropped(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with lab(**issuer.settings, gateway_max_sessions=40, then_works=False) as there:
        old = issuer.bearer("old")
        running = [there.caller(authorization=old) for _ in range(20)]
        await asyncio.gather(*(caller.start() for caller in running))
        issuer.rotate()
        await there.eventually(lambda: is_ok(there, issuer.bearer("new")), 1)
        assert await code(there, old) is grpc.StatusCode.UNAUTHENTICATED
        issuer.file.write_text("garbage")
        await there.eventually(lambda: logged(there, caplog, "GATEWAY_JWT_JWKS_URL stays as it is"), 1)
        newer = there.caller(authorization=issuer.bearer("new"))
        await newer.start()
        await asyncio.gather(*(caller.type("Still there?") for caller in running))
        await asyncio.gather(*(caller.turn(pb.TurnEvent.REPLY_ENDED) for caller in running))
        await asyncio.gather(*(caller.hang_up() for caller in (*running, newer)))
        assert {caller.code for caller in (*running, newer)} == {grpc.StatusCode.OK}
    ended = [record for record in caplog.records if record.getMessage() == "call ended"]
    assert sorted({record.caller for record in ended}) == ["new", "old"]  # type: ignore[attr-defined]


async def test_a_server_of_keys_that_comes_late_and_goes_away_again(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.identity.jwt_settings.JwksTimes", partial(JwksTimes, retry_s=0.02, apart_s=0.0))
    is_up = False

    async def keys(_: web.Request) -> web.Response:
        return web.Response(body=issuer.file.read_bytes()) if is_up else web.Response(status=503)

    app = web.Application()
    app.router.add_get("/jwks", keys)
    async with TestServer(app) as server:
        url = {"gateway_jwt_jwks_url": str(server.make_url("/jwks"))}
        async with lab(**issuer.settings | url, then_works=False) as there:
            status, sentence = await told(there, ("authorization", issuer.bearer()))
            assert (status, "try again" in sentence) == (grpc.StatusCode.UNAVAILABLE, True)
            assert await there.metric("voice_issuer_unreachable") == 1
            is_up = True
            await there.eventually(lambda: is_ok(there, issuer.bearer()), 1)
            assert await there.metric("voice_issuer_unreachable") == 0
            old = issuer.bearer()
            issuer.rotate(keep=True)
            assert await code(there, issuer.bearer()) is grpc.StatusCode.OK
            is_up = False
            assert await code(there, old) is grpc.StatusCode.OK
            assert await code(there, "Bearer ey.ey.ey") is grpc.StatusCode.UNAUTHENTICATED


async def is_ok(there: Lab, authorization: str) -> float:
    return float(await code(there, authorization) is grpc.StatusCode.OK)


async def logged(there: Lab, caplog: pytest.LogCaptureFixture, words: str) -> float:
    await there.status("/livez")
    return float(words in caplog.text)


async def test_a_call_is_taken_up_again_by_its_own_caller_only(issuer: Issuer) -> None:
    async with lab(**issuer.settings, then_works=False) as there:
        first = there.caller(authorization=issuer.bearer("anna"), numbered=True)
        started = await first.start()
        first.cancel()
        await first.over()
        resume = pb.Resume(token=started.resume_token, last_server_seq=0)
        stranger = there.caller(authorization=issuer.bearer("berta"), numbered=True, first_seq=2)
        await stranger.send(start=pb.SessionStart(resume=resume))
        await stranger.over()
        assert stranger.code is grpc.StatusCode.NOT_FOUND
        # Another token of the same holder will do.
        again = there.caller(authorization=issuer.bearer("anna"), numbered=True, first_seq=2)
        assert (await again.start(resume=resume)).resumed
        await again.hang_up()


# ------------------------------------------------------------------------------------------------ limits


async def begun(there: Lab, authorization: str) -> Caller:
    """A call that was begun, or refused."""
    caller = there.caller(authorization=authorization)
    with suppress(grpc.aio.AioRpcError):  # the refusal may be here before the message is gone
        await caller.send(start=pb.SessionStart())
    await caller.changes.until(lambda: caller.of("started") or caller.code is not None, "an answer")
    return caller


async def test_a_limit_holds_under_twice_as_many_tries_at_once_and_others_are_let_in(issuer: Issuer) -> None:
    async with lab(**issuer.settings, gateway_max_sessions_per_token=4, then_works=False) as there:
        anna = [issuer.bearer("anna", jti=str(n)) for n in range(40)]
        tries = await asyncio.gather(*(begun(there, token) for token in anna))
        held = [caller for caller in tries if caller.code is None]
        assert len(held) == 4
        for caller in tries:
            if caller.code is not None:
                assert caller.code is grpc.StatusCode.RESOURCE_EXHAUSTED
                assert int(caller.trailer["retry-after-ms"]) > 0
        more = await begun(there, issuer.bearer("berta"))
        assert more.code is None
        for caller in (*held, more):
            await caller.hang_up()
        again = await begun(there, anna[0])
        assert again.code is None
        await again.hang_up()


async def test_a_call_that_fails_to_begin_takes_no_place_of_its_caller(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lab(**issuer.settings, gateway_max_sessions_per_token=1, then_works=False) as there:
        with monkeypatch.context() as broken:
            broken.setattr("voice_gateway.app.registry.Session", None)
            failed = await begun(there, issuer.bearer())
            assert failed.code is grpc.StatusCode.INTERNAL
        caller = await begun(there, issuer.bearer())
        assert caller.code is None
        await caller.hang_up()


async def test_a_claim_of_the_token_may_hold_its_callers_limits(issuer: Issuer) -> None:
    limited: dict[str, Any] = {"gateway_max_sessions_per_token": 1, "gateway_jwt_limits_claim": "voice_limits"}
    async with lab(**issuer.settings, **limited, then_works=False) as there:
        token = issuer.bearer("anna", voice_limits={"calls": 2})
        held = [await begun(there, token) for _ in range(3)]
        assert [caller.code is None for caller in held] == [True, True, False]
        status, sentence = await told(there, ("authorization", issuer.bearer("anna", voice_limits={"calls": "all"})))
        assert status is grpc.StatusCode.UNAUTHENTICATED
        assert "limits must hold numbers" in sentence
        for caller in held[:2]:
            await caller.hang_up()


async def test_calls_in_a_minute_are_bounded(issuer: Issuer) -> None:
    async with lab(**issuer.settings, gateway_calls_per_minute_per_token=2, then_works=False) as there:
        for _ in range(2):
            await (await begun(there, issuer.bearer())).hang_up()
        refused = await begun(there, issuer.bearer())
        assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "2 calls that you may begin here in a minute" in refused.sentence
        assert 0 < int(refused.trailer["retry-after-ms"]) <= 120_000


@pytest.mark.parametrize("span", ["hour", "day"])
async def test_a_caller_who_has_sent_all_the_audio_it_may_is_told_and_begins_no_call(
    span: str, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voice_gateway.app.registry._COUNT_EVERY_S", 0.02)
    limit: dict[str, Any] = {f"gateway_audio_s_per_{span}_per_token": 3}
    async with lab(**issuer.settings, **limit, then_works=False) as there:
        first, second = [await begun(there, issuer.bearer()) for _ in range(2)]
        await first.say(SECONDS_OF_SILENCE * 2)
        await second.say(SECONDS_OF_SILENCE * 2)
        for caller in (first, second):
            error = await caller.error(pb.Error.OVERLOADED)
            assert "3 s of audio that you may send here" in error.message
            assert (error.fatal, error.retryable, error.retry_after_s > 60) == (True, True, True)
            await caller.over()
        refused = await begun(there, issuer.bearer())
        assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        other = await begun(there, issuer.bearer("berta"))
        await other.hang_up()


async def test_typed_turns_are_bounded_over_all_calls_of_a_caller(issuer: Issuer) -> None:
    async with lab(**issuer.settings, gateway_typed_turns_per_minute_per_token=3, then_works=False) as there:
        first, second = [await begun(there, issuer.bearer()) for _ in range(2)]
        for caller in (first, second, first):
            await caller.type("Is all well?")
        await first.turn(pb.TurnEvent.REPLY_STARTED)
        await second.turn(pb.TurnEvent.REPLY_STARTED)
        await second.type("And now?")
        error = await second.error(pb.Error.OVERLOADED)
        assert "3 turns that you may type here in a minute" in error.message
        assert not error.fatal
        for caller in (first, second):
            await caller.hang_up()


# ---------------------------------------------------------------------------------------- client secrets


@asynccontextmanager
async def web_port(there: Lab) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{there.web_port}") as session:
        yield session


async def posted(http: aiohttp.ClientSession, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and answer of asking for a client secret."""
    async with http.post("/v1/realtime/client_secrets", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_client_secret_stands_for_its_caller_and_is_no_more_than_that(
    issuer: Issuer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    keys = tmp_path / "keys"
    keys.write_text("k1: " + "a" * 40 + "\n")
    settings: dict[str, Any] = {
        "gateway_client_secret_keys_file": keys,
        "gateway_jwt_client_secret_scope": "voice:mint",
        "gateway_jwt_call_scope": "voice:call",
        "gateway_max_sessions_per_token": 1,
    }
    may = {"Authorization": issuer.bearer("server", scope="voice:mint voice:call")}
    async with lab(**issuer.settings, **settings, then_works=False) as there, web_port(there) as http:
        session = {"type": "realtime", "instructions": "Be brief."}
        before = time.time()
        status, made = await posted(http, {"session": session, "expires_after": {"seconds": 60}}, **may)
        assert status == 200
        assert session.items() <= made["session"].items()
        assert made["value"].startswith("ek_")
        assert before + 59 <= made["expires_at"] <= time.time() + 60
        held = await begun(there, f"Bearer {made['value']}")
        assert held.code is None
        refused = await begun(there, may["Authorization"])
        assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        status, answer = await posted(http, {}, Authorization=f"Bearer {made['value']}")
        assert (status, "can't get another one" in answer["error"]["message"]) == (403, True)
        # A new key signs from now on; secrets of the old one are good until theirs is taken away.
        keys.write_text("k2: " + "b" * 40 + "\nk1: " + "a" * 40 + "\n")
        await held.hang_up()
        assert await code(there, f"Bearer {made['value']}") is grpc.StatusCode.OK
        keys.write_text("k2: " + "b" * 40 + "\n")
        await there.eventually(lambda: is_ok(there, f"Bearer {made['value']}"), 0)
        status, newer = await posted(http, {}, **may)
        assert await code(there, f"Bearer {newer['value']}") is grpc.StatusCode.OK
        for authorization, wanted in (("", 401), ("Bearer wrong", 401), (issuer.bearer(scope="voice:call"), 403)):
            status, answer = await posted(http, {}, Authorization=authorization)
            assert (authorization, status) == (authorization, wanted)
        assert made["value"] not in caplog.text
        assert newer["value"] not in caplog.text
    ended = [record for record in caplog.records if record.getMessage() == "call ended"]
    assert {record.caller for record in ended} == {"server"}  # type: ignore[attr-defined]


async def spoken_to(http: aiohttp.ClientSession, *tokens: str, **headers: str) -> tuple[dict[str, Any], int | None]:
    """The first message on a WebSocket whose client offers these tokens as subprotocols, and how the socket closes."""
    offered = ("voice_workflow.v1.json", *(f"openai-insecure-api-key.{token}" for token in tokens))
    async with http.ws_connect("/v1/converse", protocols=offered, headers=headers) as socket:
        assert socket.protocol == "voice_workflow.v1.json"
        await socket.send_str('{"start": {}}')
        first = json.loads((await socket.receive(timeout=10)).data)
        if "started" in first:
            await socket.send_str('{"end": {}}')
        while not socket.closed:
            await socket.receive(timeout=10)
        return first, socket.close_code


async def test_a_browser_shows_its_token_as_a_subprotocol(
    issuer: Issuer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    keys = tmp_path / "tokens"
    keys.write_text("server: an-api-key\n")
    async with lab(**issuer.settings, gateway_tokens_file=keys, then_works=False) as there, web_port(there) as http:
        status, made = await posted(http, {}, Authorization="Bearer an-api-key")
        assert status == 200
        for token in (made["value"], issuer.token("anna"), "an-api-key"):
            first, _ = await spoken_to(http, token)
            assert "started" in first, first
        refused = {
            (): "needed here",
            ("wrong",): "not accepted",
            (made["value"][:-3],): "not accepted",
            (issuer.token(exp=int(time.time()) - 60),): "has expired",
            (made["value"], "an-api-key"): "several tokens",
        }
        for tokens, words in refused.items():
            first, code = await spoken_to(http, *tokens)
            assert (words in first["error"]["message"], code) == (True, 4016), (words, first)
        first, code = await spoken_to(http, "an-api-key", Authorization=issuer.bearer())
        assert code == 4016
    ended = [record.caller for record in caplog.records if record.getMessage() == "call ended"]  # type: ignore[attr-defined]
    assert sorted(ended) == ["anna", "server", "server"]


async def test_the_name_in_a_certificate_is_that_of_a_caller_of_the_realtime_protocol(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    pki, callers, file = Pki(tmp_path), trustme.CA(), tmp_path / "callers.crt"
    file.write_bytes(callers.cert_pem.bytes())
    tls: dict[str, Any] = {
        "gateway_tls_cert_file": pki.certificate,
        "gateway_tls_key_file": pki.key,
        "gateway_tls_client_ca_file": file,
    }
    context = ssl.create_default_context(cafile=pki.authority)
    callers.issue_cert(common_name="anna").configure_cert(context)
    async with lab(then_works=False, **tls) as there, aiohttp.ClientSession() as http:
        url = f"wss://localhost:{there.web_port}/v1/realtime"
        async with http.ws_connect(url, ssl=context, protocols=("realtime",)) as socket:
            await socket.send_str('{"type": "input_audio_buffer.clear"}')
            kinds = [json.loads((await socket.receive(timeout=10)).data)["type"] for _ in range(2)]
        assert kinds == ["session.created", "input_audio_buffer.cleared"]
    began = [record for record in caplog.records if record.getMessage() == "call began"]
    assert [record.caller for record in began] == ["anna"]  # type: ignore[attr-defined]


WRONG: list[tuple[object, str]] = [
    ([], "must be an object"),
    ({"model": "x"}, "'model' is unknown here"),
    ({"session": []}, ""),
    ({"session": "x"}, "session must be an object"),
    ({"expires_after": 60}, "expires_after must be an object"),
    ({"expires_after": {"anchor": "now", "seconds": 60}}, "anchor must be created_at"),
    ({"expires_after": {"seconds": 9}}, "from 10 to 7200"),
    ({"expires_after": {"seconds": 7201}}, "from 10 to 7200"),
    ({"expires_after": {"seconds": 60.5}}, "from 10 to 7200"),
    ({"expires_after": {"seconds": True}}, "from 10 to 7200"),
    ({"session": {"instructions": "x" * 5000}}, "more than 4096 bytes"),
]


async def test_what_is_asked_for_in_vain_is_refused_and_only_pages_that_may_ask_do() -> None:
    async with lab(gateway_allowed_origins="https://app.example", then_works=False) as there, web_port(there) as http:
        for body, words in WRONG:
            status, answer = await posted(http, body)
            assert (body, status) == (body, 400 if words else 200)
            assert words in answer.get("error", {}).get("message", "")
        for garbage in (b"{", b"[" * 100_000, b"\xff"):
            async with http.post("/v1/realtime/client_secrets", data=garbage) as refused:
                assert refused.status == 400
        for origin, wanted in (
            ("https://app.example", 200),
            (f"http://127.0.0.1:{there.web_port}", 200),
            ("https://evil.example", 403),
            ("null", 403),
        ):
            status, answer = await posted(http, {}, Origin=origin)
            assert (origin, status) == (origin, wanted)
        assert "GATEWAY_ALLOWED_ORIGINS" in answer["error"]["message"]
        rebound = {"Origin": "http://evil.example:8090", "Host": "evil.example:8090"}
        assert (await posted(http, {}, **rebound))[0] == 403
        asking = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        async with http.options("/v1/realtime/client_secrets", headers=asking) as allowed:
            assert (allowed.status, allowed.headers["Access-Control-Allow-Origin"]) == (204, "https://app.example")
        async with http.options("/v1/realtime/client_secrets", headers=asking | {"Origin": "https://evil"}) as not_so:
            assert not_so.status == 403
            assert "Access-Control-Allow-Origin" not in not_so.headers


@pytest.mark.parametrize("path", ["/v1/realtime", "/nowhere"])
async def test_a_web_socket_of_another_origin_is_refused_before_anything_else(path: str) -> None:
    async with lab(then_works=False) as there, web_port(there) as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(path, headers={"Origin": "https://evil.example"})
        assert refused.value.status == 403
