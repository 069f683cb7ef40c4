"""Who may call, where the operator has set tokens: both wires, probes left open, the file read anew."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from serving.bearer_tokens import BadTokens
from serving.tokens_file import parse
from speech_server.app import Server
from speech_server.wire import riva_tts_pb2 as tts

from .caller import Caller, chunk, config, finals, hum, hush

StartServer = Callable[..., Awaitable[Server]]
TURN = hush(0.1) + hum(0.6) + hush(0.4)
LINES = "# team A: this is a comment\nsecret-1\nteam-b: secret-2   # and a name\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "tokens"
    made.write_text(LINES)
    return made


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def test_lines_comments_and_names() -> None:
    assert sorted(parse(LINES.encode()).values()) == ["line-2", "team-b"]
    assert parse(b"") == {}
    for content, sentence in ((b"\xff\xfe", "is no text"), (b"a b c\n", "line 1"), (b"a\na\n", "twice")):
        with pytest.raises(ValueError, match=sentence):
            parse(content)


async def test_grpc_wants_a_token_before_it_reads_anything(start_server: StartServer, file: Path) -> None:
    caller = Caller((await start_server(SPEECH_TOKENS_FILE=str(file))).grpc_port)
    for metadata in ((), bearer("wrong"), bearer("team-b: secret-2"), (("authorization", "secret-1"),)):
        call = caller.asr.StreamingRecognize(metadata=metadata)
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
        assert "token" in await call.details()
    for token in ("secret-1", "secret-2"):
        assert len(finals(await caller.hear(config(), TURN, metadata=bearer(token)))) == 1
    stub: Any = health_pb2_grpc.HealthStub(caller.channel)
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    await caller.channel.close()


async def test_http_wants_a_token_but_for_probes(start_server: StartServer, file: Path) -> None:
    server = await start_server(SPEECH_TOKENS_FILE=str(file))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session:
        for path in ("/livez", "/readyz", "/healthz", "/metrics", "/v1/health/ready"):
            async with session.get(path) as got:
                assert got.status == 200, path
        for path in ("/v1/models", "/v1/realtime", "/nowhere"):
            async with session.get(path) as got:
                assert got.status == 401, path
                error = (await got.json())["error"]
                assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
                assert got.headers["WWW-Authenticate"] == "Bearer"
        async with session.get("/v1/models", headers={"Authorization": "Bearer secret-1"}) as got:
            assert got.status == 200


async def test_a_browser_sends_its_key_as_a_subprotocol(start_server: StartServer, file: Path) -> None:
    server = await start_server(SPEECH_TOKENS_FILE=str(file))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("/v1/realtime", protocols=("realtime", "openai-insecure-api-key.wrong"))
        assert refused.value.status == 401
        protocols = ("realtime", "openai-insecure-api-key.secret-2")
        async with session.ws_connect("/v1/realtime", protocols=protocols) as socket:
            assert socket.protocol == "realtime"
            assert json.loads((await socket.receive(timeout=5)).data)["type"] == "session.created"


async def test_the_file_is_read_anew(
    start_server: StartServer, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("serving.bearer_tokens._LOOK_EVERY_S", 0.0)
    caller = Caller((await start_server(SPEECH_TOKENS_FILE=str(file))).grpc_port)
    write, remove = file.write_bytes, file.unlink

    async def is_let_in(token: str) -> bool:
        call = caller.asr.StreamingRecognize(iter([config(), chunk(TURN)]), metadata=bearer(token))
        with suppress(grpc.aio.AioRpcError):
            while await call.read() is not grpc.aio.EOF:
                pass
        return await call.code() is grpc.StatusCode.OK

    write(b"secret-3\n")
    assert [await is_let_in(token) for token in ("secret-1", "secret-3")] == [False, True]
    write(b"\xff\xfe not text")
    assert [await is_let_in("secret-3") for _ in range(3)] == [True] * 3
    assert sum("the tokens stay as they are" in record.message for record in caplog.records) == 1
    assert "secret" not in caplog.text
    write(b"# nobody\n")
    assert not await is_let_in("secret-3")
    remove()
    assert not await is_let_in("secret-3")
    await caller.channel.close()


async def test_a_file_without_a_token_ends_the_start(start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("# none yet\n")
    for name in ("empty", "missing"):
        with pytest.raises(BadTokens, match=name):
            await start_server(SPEECH_TOKENS_FILE=str(tmp_path / name))


async def test_what_one_token_may_have_at_once_is_bounded(start_server: StartServer, file: Path) -> None:
    server = await start_server(SPEECH_TOKENS_FILE=str(file), SPEECH_MAX_PER_TOKEN="1")
    caller = Caller(server.grpc_port)
    held = caller.asr.StreamingRecognize(metadata=bearer("secret-1"))
    await held.write(config())
    await held.write(chunk(hum(1)))
    await held.read()
    refused = caller.asr.StreamingRecognize(metadata=bearer("secret-1"))
    assert await refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert ("retry-after-ms", "1000") in list(await refused.trailing_metadata() or ())
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}") as session,
        session.get("/v1/models", headers={"Authorization": "Bearer secret-1"}) as got,
    ):
        assert got.status == 429
    assert len(finals(await caller.hear(config(), TURN, metadata=bearer("secret-2")))) == 1
    await held.done_writing()
    while await held.read() is not grpc.aio.EOF:
        pass
    assert len(finals(await caller.hear(config(), TURN, metadata=bearer("secret-1")))) == 1
    await caller.channel.close()


async def test_an_answer_that_is_not_read_counts_until_the_client_has_read_it(
    start_server: StartServer, file: Path
) -> None:
    limits = {"SPEECH_MAX_PER_TOKEN": "1", "SPEECH_UNREAD_LIMIT_S": "0.1"}
    server = await start_server(SPEECH_TOKENS_FILE=str(file), **limits)
    caller, gates = Caller(server.grpc_port), server._gates
    voices = tts.RivaSynthesisConfigRequest()
    unread = caller.tts.SynthesizeOnline(metadata=bearer("secret-1"))
    await unread.write(tts.SynthesizeSpeechRequest(text="hello " * 500))
    await unread.read()
    gates.syntheses.close("the test waits for its end")
    async with asyncio.timeout(5):
        await gates.syntheses.until_idle()
    refused = caller.tts.GetRivaSynthesisConfig(voices, metadata=bearer("secret-1"))
    assert await refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await caller.tts.GetRivaSynthesisConfig(voices, metadata=bearer("secret-2"))).model_config
    with suppress(grpc.aio.AioRpcError):
        while await unread.read() is not grpc.aio.EOF:
            pass
    assert await unread.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    status = None
    async with asyncio.timeout(5):
        while status is not grpc.StatusCode.OK:
            status = await caller.tts.GetRivaSynthesisConfig(voices, metadata=bearer("secret-1")).code()
    await caller.channel.close()
