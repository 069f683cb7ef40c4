"""Who may call with a token of an issuer (JWT), over both wires, for what, and how much."""

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from serving.settings import BadSettings
from speech_server.app import Server
from speech_server.core.requests.request_stats import RequestRecord
from speech_server.request_log import RequestLog
from speech_server.wire import riva_tts_pb2 as tts

from .caller import Caller, chunk, config, finals, hum, hush

StartServer = Callable[..., Awaitable[Server]]
TURN = hush(0.1) + hum(0.6) + hush(0.4)


class Issuer:
    """Signs tokens; its public key lies in a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "keys.pem"
        self.key = Ed25519PrivateKey.generate()
        self.publish()

    def publish(self) -> None:
        """Write the file."""
        self.file.write_bytes(self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def token(self, sub: str = "anna", **changed: Any) -> str:
        """A good one but for what is changed."""
        claims = {"iss": "https://login.example", "aud": "speech", "exp": int(time.time()) + 600, "sub": sub}
        return jwt.encode(claims | changed, self.key, "EdDSA")

    @property
    def settings(self) -> dict[str, str]:
        """Of a server that accepts its tokens."""
        return {
            "SPEECH_JWT_ISSUER": "https://login.example",
            "SPEECH_JWT_AUDIENCE": "speech",
            "SPEECH_JWT_PUBLIC_KEYS_FILE": str(self.file),
        }


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def test_tokens_that_are_not_good_are_refused_over_both_wires_with_the_same_sentence(
    start_server: StartServer, issuer: Issuer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = tmp_path / "tokens"
    keys.write_text("team-a: an-api-key\n")
    caplog.set_level("DEBUG")
    server = await start_server(**issuer.settings, SPEECH_TOKENS_FILE=str(keys))
    caller = Caller(server.grpc_port)
    signed = issuer.token().rpartition(".")[0]
    refused = {
        issuer.token(exp=int(time.time()) - 60): "has expired",
        issuer.token(aud="billing"): "aud is speech",
        issuer.token(iss="https://evil.example"): "another issuer",
        jwt.encode({"sub": "anna"}, "", "none"): "not accepted",
        f"{signed}.AAAA": "not accepted",
        "wrong": "not accepted",
    }
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as http:
        for token, words in refused.items():
            call = caller.tts.GetRivaSynthesisConfig(tts.RivaSynthesisConfigRequest(), metadata=bearer(token))
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
            assert words in await call.details()
            async with http.get("/v1/models", headers={"Authorization": f"Bearer {token}"}) as got:
                assert (got.status, words in await got.text()) == (401, True)
            assert token not in caplog.text or token == "wrong"
        for metadata in (bearer(issuer.token()), bearer("an-api-key"), (("x-api-key", "an-api-key"),)):
            assert len(finals(await caller.hear(config(), TURN, metadata=metadata))) == 1
            async with http.get("/v1/models", headers=dict(metadata)) as got:
                assert got.status == 200
    await caller.channel.close()


async def test_a_scope_is_needed_for_what_it_is_for(start_server: StartServer, issuer: Issuer) -> None:
    scopes = {"SPEECH_JWT_ASR_SCOPE": "speech:hear", "SPEECH_JWT_TTS_SCOPE": "speech:speak"}
    server = await start_server(**issuer.settings, **scopes)
    caller = Caller(server.grpc_port)
    speaks, hears = issuer.token(scope="speech:speak"), issuer.token(scp=["speech:hear"])
    voices = tts.RivaSynthesisConfigRequest()
    assert (await caller.tts.GetRivaSynthesisConfig(voices, metadata=bearer(speaks))).model_config
    call = caller.tts.GetRivaSynthesisConfig(voices, metadata=bearer(hears))
    assert await call.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "lacks the scope speech:speak" in await call.details()
    assert len(finals(await caller.hear(config(), TURN, metadata=bearer(hears)))) == 1
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as http:
        for path, token, status in (
            ("/v1/realtime", speaks, 403),
            ("/v1/realtime?intent=synthesize", hears, 403),
            ("/v1/models", hears, 200),
        ):
            async with http.get(path, headers={"Authorization": f"Bearer {token}"}) as got:
                assert (path, got.status) == (path, status)
        text = {"model": "tts-1", "input": "hello", "voice": "alloy"}
        async with http.post("/v1/audio/speech", json=text, headers={"Authorization": f"Bearer {hears}"}) as got:
            assert got.status == 403
        async with http.post("/v1/audio/speech", json=text, headers={"Authorization": f"Bearer {speaks}"}) as got:
            assert got.status == 200
    await caller.channel.close()


async def test_a_session_of_the_caller_is_opened_with_its_secret(start_server: StartServer, issuer: Issuer) -> None:
    server = await start_server(**issuer.settings)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as http:
        headers = {"Authorization": f"Bearer {issuer.token()}"}
        async with http.post("/v1/realtime/transcription_sessions", json={}, headers=headers) as opened:
            secret = (await opened.json())["client_secret"]["value"]
        protocols = ("realtime", f"realtime-token.{secret}")
        async with http.ws_connect("/v1/realtime?intent=transcription", protocols=protocols) as socket:
            assert json.loads((await socket.receive(timeout=5)).data)["type"] == "conversation.created"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect("/v1/realtime", protocols=("realtime", f"realtime-token.{secret[:-4]}AAAA"))
        assert refused.value.status == 401
        browser = ("realtime", f"openai-insecure-api-key.{issuer.token()}")
        async with http.ws_connect("/v1/realtime", protocols=browser) as socket:
            assert json.loads((await socket.receive(timeout=5)).data)["type"] == "session.created"
        for origin, status in (("https://evil.example", 403), ("null", 403)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as other:
                await http.ws_connect("/v1/realtime", protocols=browser, headers={"Origin": origin})
            assert other.value.status == status
        own = {"Origin": f"http://127.0.0.1:{server.http_port}"}
        async with http.ws_connect("/v1/realtime", protocols=browser, headers=own) as socket:
            assert not socket.closed


async def test_keys_are_read_again_while_a_stream_goes_on(start_server: StartServer, issuer: Issuer) -> None:
    caller = Caller((await start_server(**issuer.settings)).grpc_port)
    old = issuer.token()
    held = caller.asr.StreamingRecognize(metadata=bearer(old))
    await held.write(config())
    await held.write(chunk(hum(1)))
    await held.read()  # it is let in
    issuer.key = Ed25519PrivateKey.generate()
    issuer.publish()
    voices = tts.RivaSynthesisConfigRequest()
    code = grpc.StatusCode.UNAUTHENTICATED
    while code is grpc.StatusCode.UNAUTHENTICATED:
        code = await caller.tts.GetRivaSynthesisConfig(voices, metadata=bearer(issuer.token())).code()
    assert code is grpc.StatusCode.OK
    late = caller.tts.GetRivaSynthesisConfig(voices, metadata=bearer(old))
    assert await late.code() is grpc.StatusCode.UNAUTHENTICATED
    await held.done_writing()
    while await held.read() is not grpc.aio.EOF:
        pass
    assert await held.code() is grpc.StatusCode.OK
    await caller.channel.close()


async def test_requests_in_a_minute_and_audio_in_an_hour_are_bounded_for_each_caller(
    start_server: StartServer, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[RequestRecord] = []
    monkeypatch.setattr(RequestLog, "note", lambda _, record: noted.append(record))
    limits = {"SPEECH_REQUESTS_PER_MINUTE_PER_TOKEN": "5", "SPEECH_AUDIO_S_PER_HOUR_PER_TOKEN": "1"}
    log = {"SPEECH_REQUEST_LOG": str(tmp_path / "requests")}
    caller = Caller((await start_server(**issuer.settings, **limits, **log)).grpc_port)
    anna, berta = bearer(issuer.token("anna")), bearer(issuer.token("berta"))
    assert len(finals(await caller.hear(config(), TURN, metadata=anna))) == 1
    refused = caller.asr.StreamingRecognize(metadata=anna)
    assert await refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "1 s of audio that you may" in await refused.details()
    voices = tts.RivaSynthesisConfigRequest()
    codes = [await caller.tts.GetRivaSynthesisConfig(voices, metadata=berta).code() for _ in range(6)]
    assert codes == [grpc.StatusCode.OK] * 5 + [grpc.StatusCode.RESOURCE_EXHAUSTED]
    assert [(record.caller, record.status) for record in noted] == [("anna", "OK"), *[("berta", "OK")] * 5]
    await caller.channel.close()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SPEECH_JWT_ISSUER": "https://login.example"}, "SPEECH_JWT_ISSUER: is set without any keys"),
        ({"SPEECH_JWT_JWKS_URL": "http://login.example/jwks"}, "SPEECH_JWT_ISSUER, SPEECH_JWT_AUDIENCE: both"),
        ({"SPEECH_CLIENT_SECRET_KEYS_FILE": "/nowhere"}, "SPEECH_CLIENT_SECRET_KEYS_FILE: /nowhere can't be read"),
    ],
)
async def test_settings_that_do_not_go_together_end_the_start(
    start_server: StartServer, settings: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadSettings, match=sentence):
        await start_server(**settings)
