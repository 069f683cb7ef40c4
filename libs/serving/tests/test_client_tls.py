"""Which setting is wrong when a client and a server do not trust each other; renewed files are taken at once."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import ClientError, ClientSession, TCPConnector, web
from serving.certificates import Certificates, TlsFiles, http_context
from serving.client_tls import ClientTls, ClientTlsFiles, ClientTlsSettings
from serving.http_server import HttpServer
from serving.renewed_files import BadFiles
from serving.secret_file import SecretFile

SETTINGS = ClientTlsSettings("THE_HOST", "THE_CA_FILE", "THE_CERT_FILE", "THE_SSL=false")
LONG_AGO = datetime.now(UTC) - timedelta(days=9)


def write(file: Path, *pems: trustme.Blob) -> Path:
    """One file of all of them."""
    file.write_bytes(b"".join(pem.bytes() for pem in pems))
    return file


class Parties:
    """Two authorities, and the files of a server and of a client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers, self.clients = trustme.CA(), trustme.CA()
        self.authorities = write(folder / "servers.crt", self.servers.cert_pem)
        self.client_ca = write(folder / "clients.crt", self.clients.cert_pem)
        self.client = folder / "client.crt", folder / "client.key"
        self.show(self.clients)

    def show(self, authority: trustme.CA, **how: Any) -> None:
        """The client's own certificate, signed by it."""
        issued = authority.issue_cert("client", **how)
        write(self.client[0], *issued.cert_chain_pems)
        write(self.client[1], issued.private_key_pem)

    def server(self, *names: str, asks: bool = False, **how: Any) -> TlsFiles:
        """A server's certificate."""
        issued = self.servers.issue_cert(*(names or ("localhost", "127.0.0.1")), **how)
        chain = write(self.folder / "server.crt", *issued.cert_chain_pems)
        key = write(self.folder / "server.key", issued.private_key_pem)
        return TlsFiles(chain, key, self.client_ca if asks else None)

    def tls(self, *, trusts: Path | None = None, shows: bool = False) -> ClientTls:
        """A client's."""
        return ClientTls(ClientTlsFiles(trusts, *(self.client if shows else (None, None))), SETTINGS)


@pytest.fixture
def parties(tmp_path: Path) -> Parties:
    """Fresh ones."""
    return Parties(tmp_path)


@asynccontextmanager
async def serving(files: TlsFiles | None) -> AsyncIterator[int]:
    """The port of an HTTP server that names the client."""

    async def name(request: web.Request) -> web.Response:
        assert request.transport is not None
        return web.json_response(request.transport.get_extra_info("peercert"))

    application = web.Application()
    application.router.add_get("/", name)
    server = HttpServer(application, 0.1)
    try:
        yield await server.listen(
            "127.0.0.1", 0, "PORT", http_context(Certificates(files), demands=True) if files else None
        )
    finally:
        await server.stop()


async def got(tls: ClientTls, port: int) -> str:
    """How a request of its own connection ends: the client's serial number, or the sentence."""
    async with ClientSession(connector=TCPConnector(ssl=tls.context, force_close=True)) as http:
        try:
            async with http.get(f"https://localhost:{port}/") as answer:
                return str((await answer.json() or {}).get("serialNumber", ""))
        except ClientError as error:
            return tls.sentence(error, "localhost") or await tls.trouble("127.0.0.1", port, "localhost", "http/1.1")


@pytest.mark.parametrize(
    ("server", "client", "sentence"),
    [
        ({}, {"trusts": "authorities"}, ""),
        ({"asks": True}, {"trusts": "authorities", "shows": True}, ""),
        ({}, {"trusts": "client_ca"}, "signed by no authority of THE_CA_FILE; add its own"),
        ({}, {}, "signed by no public authority; name its authority in THE_CA_FILE"),
        ({"not_before": LONG_AGO, "not_after": LONG_AGO}, {"trusts": "authorities"}, "(THE_HOST) has expired"),
        ({"not_before": -LONG_AGO.timestamp()}, {"trusts": "authorities"}, "is not valid yet"),
        ({"names": ("other.example",)}, {"trusts": "authorities"}, "is for other names; set THE_HOST to one"),
        ({"asks": True}, {"trusts": "authorities"}, "wants a client certificate, set THE_CERT_FILE"),
    ],
)  # fmt: skip
async def test_a_sentence_names_the_setting(
    parties: Parties, server: dict[str, Any], client: dict[str, Any], sentence: str
) -> None:
    how = dict(server)
    if isinstance(how.get("not_before"), float):
        how |= {"not_before": datetime.now(UTC) + timedelta(days=1), "not_after": datetime.now(UTC) + timedelta(days=2)}
    trusts = getattr(parties, client["trusts"]) if "trusts" in client else None
    tls = parties.tls(trusts=trusts, shows=client.get("shows", False))
    async with serving(parties.server(*how.pop("names", ()), **how)) as port:
        said = await tls.trouble("127.0.0.1", port, "localhost", "http/1.1")
        assert sentence in said
        assert bool(said) == bool(sentence)


@asynccontextmanager
async def outspoken(context: ssl.SSLContext) -> AsyncIterator[int]:
    """The port of a server that says why, as most do: asyncio's own only hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listening.accept()
                with plain, suppress(ssl.SSLError, ConnectionError):
                    context.wrap_socket(plain, server_side=True).unwrap()

    thread = asyncio.create_task(asyncio.to_thread(serve))
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        await thread


async def test_what_a_server_says_of_a_client_certificate_is_told_with_its_setting(parties: Parties) -> None:
    context = http_context(Certificates(parties.server(asks=True)), demands=True)
    nobody, tls = parties.tls(trusts=parties.authorities), parties.tls(trusts=parties.authorities, shows=True)
    async with outspoken(context) as port:
        assert "localhost wants a client certificate; set THE_CERT_FILE" in await nobody.trouble(
            "127.0.0.1", port, "localhost"
        )
        parties.show(trustme.CA())
        assert "refuses the certificate of THE_CERT_FILE (tlsv1 alert unknown ca)" in await tls.trouble(
            "127.0.0.1", port, "localhost"
        )
        parties.show(parties.clients, not_before=LONG_AGO, not_after=LONG_AGO)
        assert "refuses the certificate of THE_CERT_FILE (sslv3 alert certificate expired)" in await tls.trouble(
            "127.0.0.1", port, "localhost"
        )


async def test_a_server_without_tls_is_told_from_others(parties: Parties) -> None:
    async with serving(None) as port:
        assert "speaks no TLS; set THE_SSL=false" in await parties.tls().trouble("127.0.0.1", port)
    assert await parties.tls().trouble("127.0.0.1", port) == "", "nobody listens: that is no matter of encryption"


async def test_the_next_handshake_takes_renewed_files(parties: Parties, caplog: pytest.LogCaptureFixture) -> None:
    tls = parties.tls(trusts=parties.authorities, shows=True)
    async with serving(parties.server(asks=True)) as port:
        first = await got(tls, port)
        parties.show(parties.clients)
        second = await got(tls, port)
        assert first.isalnum()
        assert second.isalnum()
        assert second != first
        parties.authorities.write_text("half a cert")
        assert await got(tls, port) == second, "what can't be used changes nothing"
        assert "THE_CA_FILE: " in caplog.text
        write(parties.authorities, trustme.CA().cert_pem)
        assert "no authority of THE_CA_FILE" in await got(tls, port), "an authority that was taken out is not trusted"


async def test_a_server_that_demands_a_certificate_does_so_after_a_renewal(parties: Parties) -> None:
    nobody, somebody = parties.tls(trusts=parties.authorities), parties.tls(trusts=parties.authorities, shows=True)
    async with serving(parties.server(asks=True)) as port:
        for _ in range(2):
            assert "if it wants a client certificate, set THE_CERT_FILE" in await got(nobody, port)
            assert (await got(somebody, port)).isalnum()
            parties.server(asks=True)
        write(parties.client_ca, trustme.CA().cert_pem)
        assert "if it refuses the certificate" in await got(somebody, port), "its authority was taken out"


async def test_a_session_is_not_taken_up_again_without_its_certificate(parties: Parties) -> None:
    context = parties.tls(trusts=parties.authorities, shows=True).pem.context
    async with serving(parties.server(asks=True)) as port:
        sessions = [await asyncio.to_thread(session, context, port, None)]
        sessions.append(await asyncio.to_thread(session, context, port, sessions[0][0]))
    assert [reused for _, reused in sessions] == [False, False]


def session(context: ssl.SSLContext, port: int, before: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool]:
    """A connection that goes on with this session, if the server lets it: its own session, and whether it did."""
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=before) as wrapped,
    ):
        wrapped.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while wrapped.recv(4096):
            pass
        return wrapped.session, bool(wrapped.session_reused)


@pytest.mark.parametrize(
    ("broken", "setting"), [("authorities", "THE_CA_FILE"), ("certificate", "THE_CERT_FILE"), ("key", "THE_CERT_FILE")]
)
@pytest.mark.parametrize("gone", [True, False])
def test_files_that_can_not_be_used_are_named_at_the_start(
    parties: Parties, broken: str, setting: str, gone: bool
) -> None:
    files = ClientTlsFiles(parties.authorities, *parties.client)
    file: Path = getattr(files, broken)
    file.unlink() if gone else file.write_text("no PEM")
    with pytest.raises(BadFiles, match=rf"^{setting}: .*{file.name}"):
        ClientTls(files, SETTINGS)


def test_a_secret_is_the_one_of_now(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "key"
    file.write_text("first\n")
    secret = SecretFile(file, "the key")
    assert secret.secret == "first"
    file.write_text("second-one")
    assert secret.secret == "second-one"
    file.write_text("two words")
    assert secret.secret == "second-one"
    file.unlink()
    assert secret.secret == "second-one"
    assert "the key stays as it is" in caplog.text
    assert "second-one" not in caplog.text
