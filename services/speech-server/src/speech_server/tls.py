"""How is the traffic encrypted, and which clients are let in? Certificates from files, for gRPC and HTTP alike.

Files may be replaced while the server runs, as certificate issuers on Kubernetes do: gRPC reads them anew for the next
handshake, HTTP when they changed.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_OPEN_PATHS = frozenset(
    {"/livez", "/readyz", "/healthz", "/metrics", "/v1/metrics", "/v1/health/live", "/v1/health/ready"}
)
"""What probes and Prometheus ask, which have no client certificate."""
_NO_CERTIFICATE = "A client certificate is needed here; send one that SPEECH_TLS_CLIENT_CA_FILE signed."


class BadTls(Exception):
    """The files are no certificate and key; the sentence names them."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. With `client_ca`, callers need a certificate it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    @property
    def changed_at(self) -> float:
        """When one of them was last written. Raises OSError."""
        files = [self.certificate, self.key, *([self.client_ca] if self.client_ca else [])]
        return max(file.stat().st_mtime for file in files)


def grpc_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """For the gRPC port. Raises BadTls."""
    http_context(files)  # gRPC itself would refuse bad files only at the first handshake, without a word
    served = [files.changed_at]

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        try:
            changed_at = files.changed_at
            if changed_at == served[0]:
                return None
            fresh = _configuration(files)
        except OSError:
            return None  # in the middle of being replaced: the next handshake looks again
        served[0] = changed_at
        return fresh

    return grpc.dynamic_ssl_server_credentials(
        _configuration(files),
        fetch,  # type: ignore[arg-type]  # None means "as before", which the stubs don't know
        files.client_ca is not None,
    )


def http_context(files: TlsFiles) -> ssl.SSLContext:
    """For the HTTP port; who needs a client certificate is decided by `certified`. Raises BadTls."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, files)
    served = [files.changed_at]

    def refresh(connection: ssl.SSLObject, name: str | None, outer: ssl.SSLContext) -> None:
        try:
            changed_at = files.changed_at
            if changed_at != served[0]:
                _load(context, files)
                served[0] = changed_at
        except (OSError, BadTls):
            return  # in the middle of being replaced: the next handshake looks again

    context.sni_callback = refresh
    return context


def certified(files: TlsFiles) -> Middleware:
    """Lets requests without a client certificate reach the probes' paths only."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        tunnel = request.transport.get_extra_info("ssl_object") if request.transport else None
        known = tunnel is not None and tunnel.getpeercert()
        if files.client_ca is not None and not known and request.path not in _OPEN_PATHS:
            return web.json_response(
                {"error": {"message": _NO_CERTIFICATE, "type": "authentication_error"}}, status=401
            )
        return await handler(request)

    return check


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    try:
        context.load_cert_chain(files.certificate, files.key)
        if files.client_ca is not None:
            context.load_verify_locations(files.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(str(file) for file in (files.certificate, files.key, files.client_ca) if file)
        raise BadTls(f"TLS can't use {names}: {error}; give PEM files that belong together") from error


def _configuration(files: TlsFiles) -> grpc.ServerCertificateConfiguration:
    pair = (files.key.read_bytes(), files.certificate.read_bytes())
    roots = files.client_ca.read_bytes() if files.client_ca is not None else None
    return grpc.ssl_server_certificate_configuration([pair], roots)
