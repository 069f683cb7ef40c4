"""How does a tool reach a server? Options every tool has, and the channel they make."""

import argparse
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import grpc

from speech_server.cli.verbs import CommandFailed


def parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """With --server, --tls-ca, --tls-cert and --tls-key."""
    made = argparse.ArgumentParser(prog=f"speech-server {program}", description=description)
    made.add_argument("--server", default="localhost:50051", help="host:port of the gRPC port")
    made.add_argument("--tls-ca", type=Path, help="PEM of who signed the server's certificate; without it: plaintext")
    made.add_argument("--tls-cert", type=Path, help="PEM certificate to show")
    made.add_argument("--tls-key", type=Path, help="its key")
    return made


@asynccontextmanager
async def connect(given: argparse.Namespace) -> AsyncIterator[grpc.aio.Channel]:
    """A channel for the length of the block. Raises CommandFailed for unreadable files."""
    options = [("grpc.max_receive_message_length", 64 << 20)]
    if given.tls_ca is None:
        channel = grpc.aio.insecure_channel(given.server, options)
    else:
        channel = grpc.aio.secure_channel(given.server, _credentials(given), options)
    async with channel:
        yield channel


@contextmanager
def sentences() -> Iterator[None]:
    """What gRPC raises inside becomes CommandFailed, with the server's own sentence."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise CommandFailed(f"{error.code().name}: {error.details()}") from error


def _credentials(given: argparse.Namespace) -> grpc.ChannelCredentials:
    try:
        key = given.tls_key.read_bytes() if given.tls_key else None
        certificate = given.tls_cert.read_bytes() if given.tls_cert else None
        return grpc.ssl_channel_credentials(given.tls_ca.read_bytes(), key, certificate)
    except OSError as error:
        raise CommandFailed(f"can't read {error.filename}: {error.strerror}") from error
