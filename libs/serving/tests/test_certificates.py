"""A pair is served whole or not at all: mismatched, half-written and missing files change nothing."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from serving.certificates import BadTls, Certificates, TlsFiles, http_context
from serving.grpc_server import GrpcLimits, GrpcServer
from serving.http_server import HttpServer

LIMITS = GrpcLimits(message_bytes=1000, metadata_bytes=8192, connections=10, streams=10, idle_connection_s=60)


class Pair:
    """An authority and the files it signs for a server."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.files = TlsFiles(folder / "cert.pem", folder / "key.pem")
        self.renew()

    def renew(self) -> bytes:
        """Another certificate and key; gives the key."""
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        self.files.key.write_bytes(issued.private_key_pem.bytes())
        self.files.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        return issued.private_key_pem.bytes()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Good files."""
    return Pair(tmp_path)


@asynccontextmanager
async def served(certificates: Certificates) -> AsyncIterator[tuple[int, int]]:
    """The ports of a gRPC and of an HTTP server with them."""
    grpc_server, http_server = GrpcServer((), LIMITS), HttpServer(web.Application(), 0.1)
    try:
        grpc_port = await grpc_server.listen("127.0.0.1", 0, "PORT", certificates)
        http_port = await http_server.listen("127.0.0.1", 0, "PORT", http_context(certificates))
        yield grpc_port, http_port
    finally:
        await grpc_server.stop(0)
        await http_server.stop()


async def shown(ports: tuple[int, int]) -> list[str]:
    """The certificate of a new handshake with each port."""
    return [await asyncio.to_thread(ssl.get_server_certificate, ("localhost", port)) for port in ports]


async def test_only_a_pair_that_fits_is_shown(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    certificate, key = pair.files.certificate, pair.files.key
    async with served(Certificates(pair.files)) as ports:
        before = await shown(ports)
        old_key = key.read_bytes()
        new_key = pair.renew()
        key.write_bytes(old_key)
        for _ in range(3):
            assert await shown(ports) == before, "a certificate without its key"
        key.write_bytes(new_key)
        renewed = await shown(ports)
        assert renewed[0] == renewed[1] != before[0]
        certificate.write_text("-----BEGIN CERTIFICATE-----\nhalf writ")
        assert await shown(ports) == renewed, "half a certificate"
        key.unlink()
        assert await shown(ports) == renewed, "no key"
        assert sum("the certificate that is served stays as it is" in record.message for record in caplog.records) == 2
        pair.renew()
        assert (await shown(ports))[0] not in (before[0], renewed[0])


def test_a_context_that_was_served_is_never_changed(pair: Pair) -> None:
    certificates = Certificates(pair.files)
    before = certificates.served
    pair.files.key.write_bytes(trustme.CA().issue_cert("localhost").private_key_pem.bytes())
    assert certificates.served is before
    pair.renew()
    assert certificates.served.context is not before.context
    assert certificates.served.key != before.key


async def test_a_start_in_the_middle_of_a_renewal_waits_for_the_pair(pair: Pair) -> None:
    key = pair.files.key.read_bytes()
    pair.files.key.write_text("not yet")
    starting = asyncio.create_task(asyncio.to_thread(Certificates, pair.files))
    await asyncio.sleep(0)
    pair.files.key.write_bytes(key)
    assert (await starting).served.key == key


def test_files_that_never_fit_are_named(pair: Pair) -> None:
    pair.files.certificate.write_text("not a certificate")
    with pytest.raises(BadTls, match=r"cert\.pem.*give PEM files that belong together"):
        Certificates(pair.files)
