"""Encryption of both ports, and who is let in."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import grpc
import pytest
import trustme
from serving.certificates import BadTls
from serving.settings import BadSettings
from speech_server.app import Server
from speech_server.settings import Settings
from speech_server.wire import riva_tts_pb2 as tts
from speech_server.wire.riva_asr_pb2_grpc import RivaSpeechRecognitionStub
from speech_server.wire.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from .caller import chunk, config, hum, hush, pieces

StartServer = Callable[..., Awaitable[Server]]
TURN = hush(0.2) + hum(0.6) + hush(0.4)
LONG_AGO = datetime.now(UTC) - timedelta(days=9)
LIST = tts.RivaSynthesisConfigRequest()


class Papers:
    """A certificate authority, the server's files and a client's."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.ca, self.cert, self.key = (folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
        self.authority.cert_pem.write_to_path(str(self.ca))
        self.client = self.authority.issue_cert("caller.test")
        self.renew()

    def exchange(self) -> trustme.LeafCert:
        """Everything anew, the authority included; gives the client's old certificate."""
        old, self.authority = self.client, trustme.CA()
        self.authority.cert_pem.write_to_path(str(self.ca))
        self.client = self.authority.issue_cert("caller.test")
        self.renew()
        return old

    def renew(self) -> None:
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        self.key.write_bytes(issued.private_key_pem.bytes())
        self.cert.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))

    def settings(self, mutual: bool = False) -> dict[str, str]:
        files = {"SPEECH_TLS_CERT_FILE": str(self.cert), "SPEECH_TLS_KEY_FILE": str(self.key)}
        return {**files, "SPEECH_TLS_CLIENT_CA_FILE": str(self.ca)} if mutual else files

    def channel(self, port: int, certified: bool = False) -> grpc.aio.Channel:
        chain = b"".join(pem.bytes() for pem in self.client.cert_chain_pems) if certified else None
        key = self.client.private_key_pem.bytes() if certified else None
        return grpc.aio.secure_channel(
            f"localhost:{port}", grpc.ssl_channel_credentials(self.ca.read_bytes(), key, chain)
        )

    def context(self, certified: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        if certified:
            self.client.configure_cert(context)
        return context


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def voices(channel: grpc.aio.Channel) -> int:
    async with channel:
        return len((await RivaSpeechSynthesisStub(channel).GetRivaSynthesisConfig(LIST, timeout=5)).model_config)


async def test_both_ports_are_encrypted(start_server: StartServer, papers: Papers, http: aiohttp.ClientSession) -> None:
    server = await start_server(**papers.settings())
    assert await voices(papers.channel(server.grpc_port)) == 1
    async with http.get(f"https://localhost:{server.http_port}/readyz", ssl=papers.context()) as answer:
        assert answer.status == 200
    with pytest.raises(grpc.aio.AioRpcError):
        await voices(grpc.aio.insecure_channel(f"localhost:{server.grpc_port}"))


async def test_a_caller_without_a_certificate_is_turned_away(
    start_server: StartServer, papers: Papers, http: aiohttp.ClientSession
) -> None:
    server = await start_server(**papers.settings(mutual=True))
    assert await voices(papers.channel(server.grpc_port, certified=True)) == 1
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await voices(papers.channel(server.grpc_port))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    url = f"https://localhost:{server.http_port}"
    async with http.get(f"{url}/v1/models", ssl=papers.context()) as answer:
        assert answer.status == 401
        assert "client certificate" in (await answer.json())["error"]["message"]
    async with http.get(f"{url}/v1/models", ssl=papers.context(certified=True)) as answer:
        assert answer.status != 401


async def test_probes_need_no_certificate(
    start_server: StartServer, papers: Papers, http: aiohttp.ClientSession
) -> None:
    server = await start_server(**papers.settings(mutual=True))
    for path in ("/livez", "/readyz", "/metrics"):
        async with http.get(f"https://localhost:{server.http_port}{path}", ssl=papers.context()) as answer:
            assert answer.status == 200


async def test_renewed_certificates_are_served_without_a_restart(start_server: StartServer, papers: Papers) -> None:
    server = await start_server(**papers.settings())
    before = await _serial(server.grpc_port)
    papers.renew()
    assert await _serial(server.grpc_port) != before


async def test_streams_go_on_while_certificates_are_exchanged_and_only_new_ones_are_let_in(
    start_server: StartServer, papers: Papers, http: aiohttp.ClientSession
) -> None:
    server = await start_server(**papers.settings(mutual=True))
    realtime = f"https://localhost:{server.http_port}/v1/realtime?intent=transcription"
    async with (
        papers.channel(server.grpc_port, certified=True) as channel,
        http.ws_connect(realtime, ssl=papers.context(certified=True)) as socket,
    ):
        stream = RivaSpeechRecognitionStub(channel).StreamingRecognize()
        await stream.write(config())
        for piece in pieces(TURN):
            await stream.write(chunk(piece))
        assert (await anext(aiter(stream))).results
        assert (await socket.receive_json())["type"].endswith("session.created")

        old = papers.exchange()
        assert await voices(papers.channel(server.grpc_port, certified=True)) == 1
        expired = papers.authority.issue_cert("caller.test", not_before=LONG_AGO, not_after=LONG_AGO)
        for client in (old, expired):
            papers.client = client
            with pytest.raises(grpc.aio.AioRpcError):
                await voices(papers.channel(server.grpc_port, certified=True))
            with pytest.raises(aiohttp.ClientConnectionError):
                await http.get(f"https://localhost:{server.http_port}/v1/models", ssl=papers.context(certified=True))

        await stream.done_writing()
        heard = [response async for response in stream]
        assert [result.alternatives[0].transcript for result in heard[-1].results] == ["caller 1 turn 1"]
        await socket.send_json({"type": "input_audio_buffer.clear"})
        assert (await socket.receive_json())["type"] == "input_audio_buffer.cleared"


async def _serial(port: int) -> str:
    return await asyncio.to_thread(ssl.get_server_certificate, ("localhost", port))


async def test_files_that_are_no_certificate_are_refused_at_the_start(
    start_server: StartServer, papers: Papers
) -> None:
    papers.cert.write_text("not a certificate")
    with pytest.raises(BadTls, match=r"cert\.pem"):
        await start_server(**papers.settings())


def test_other_machines_are_served_with_tls_or_on_the_operators_word(
    monkeypatch: pytest.MonkeyPatch, papers: Papers
) -> None:
    monkeypatch.setenv("SPEECH_HOST", "0.0.0.0")
    with pytest.raises(BadSettings, match="set SPEECH_TLS_CERT_FILE and SPEECH_TLS_KEY_FILE, or SPEECH_PLAINTEXT=true"):
        Settings()
    monkeypatch.setenv("SPEECH_PLAINTEXT", "true")
    assert Settings().server.speech_host == "0.0.0.0"
    monkeypatch.delenv("SPEECH_PLAINTEXT")
    for name, value in papers.settings().items():
        monkeypatch.setenv(name, value)
    assert Settings().server.tls is not None


def test_half_a_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECH_TLS_CERT_FILE", "cert.pem")
    with pytest.raises(BadSettings, match="SPEECH_TLS_KEY_FILE"):
        Settings()
