"""Whom does the gateway trust as Riva, and what does it show it? PEM files, read once at the start."""

import ssl
from pathlib import Path

import grpc
from serving.settings import BadSettings

from voice_gateway.config import Settings


def riva_credentials(settings: Settings) -> grpc.ChannelCredentials:
    """For channels to Riva. Raises BadSettings, naming the variable whose file can't be used."""
    certificate, key = settings.riva_client_cert_file, settings.riva_client_key_file
    authorities, shown, secret = (
        _read("RIVA_CA_FILE", settings.riva_ca_file),
        _read("RIVA_CLIENT_CERT_FILE", certificate),
        _read("RIVA_CLIENT_KEY_FILE", key),
    )
    # gRPC itself would say nothing but "handshake failed", with the first call.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if settings.riva_ca_file:
            context.load_verify_locations(settings.riva_ca_file)
    except ssl.SSLError as error:
        raise BadSettings(f"RIVA_CA_FILE: {settings.riva_ca_file} holds no PEM certificate ({_why(error)})") from None
    try:
        if certificate:
            # Without a password an encrypted key is an error, not a question on a terminal.
            context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        files = f"{certificate} and {key} can't be used ({_why(error)}); give PEM files that belong together"
        raise BadSettings(f"RIVA_CLIENT_CERT_FILE: {files}") from None
    return grpc.ssl_channel_credentials(authorities, secret, shown)


def _read(name: str, file: Path | None) -> bytes | None:
    try:
        return file.read_bytes() if file else None
    except OSError as error:
        raise BadSettings(f"{name}: {file} can't be read ({error.strerror})") from None


def _why(error: ssl.SSLError) -> str:
    return error.reason or str(error)
