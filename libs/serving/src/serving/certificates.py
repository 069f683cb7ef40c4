"""How is the traffic encrypted, and which clients are let in? Certificates from files, for gRPC and HTTP alike.

Files may be replaced while the server runs, as certificate issuers on Kubernetes do: they are looked at with each
handshake. A pair is served once it is read whole and fits; until then the old one stays.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from serving.client_tls import load_pair, why
from serving.renewed_files import BadFiles, RenewedFiles

_START_WITHIN_S = 2.0
"""A start in the middle of a renewal waits so long for a pair that fits."""


class BadTls(BadFiles):
    """The files are no certificate and key; the sentence names them."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. With `client_ca`, callers need a certificate it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    @property
    def all(self) -> tuple[Path, ...]:
        """Those there are."""
        return (self.certificate, self.key, *([self.client_ca] if self.client_ca else []))


@dataclass(frozen=True, slots=True)
class Served:
    """What was read at one moment and fits."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None
    context: ssl.SSLContext


class Certificates:
    """The pair that is served, for all ports; a better one is looked for with each handshake. From any thread."""

    def __init__(self, files: TlsFiles) -> None:
        """Blocking, for up to two seconds. Raises BadTls."""
        self.files = files
        self._renewed = RenewedFiles(
            files.all, lambda: _read(files), "the certificate that is served", start_within_s=_START_WITHIN_S
        )

    @property
    def served(self) -> Served:
        """The newest pair that fits."""
        return self._renewed.content

    def look(self) -> None:
        """Look for a better pair now."""
        _ = self._renewed.content


def http_context(certificates: Certificates, *, demands: bool = False) -> ssl.SSLContext:
    """For an HTTP port. With a `client_ca` a client certificate is demanded, or asked for only: a probe has none.

    Each handshake gets the context of the newest pair, which nobody changes any more; what is demanded is the outer
    one's.
    """
    served = certificates.served
    context = _context(served.certificate, served.key, served.client_ca)
    if demands and served.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED

    def refresh(connection: ssl.SSLObject, name: str | None, outer: ssl.SSLContext) -> None:
        connection.context = certificates.served.context

    context.sni_callback = refresh
    return context


def _read(files: TlsFiles) -> Served:
    try:
        certificate, key = files.certificate.read_bytes(), files.key.read_bytes()
        client_ca = files.client_ca.read_bytes() if files.client_ca is not None else None
        return Served(certificate, key, client_ca, _context(certificate, key, client_ca))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise _bad(files, error) from error


def _context(certificate: bytes, key: bytes, client_ca: bytes | None) -> ssl.SSLContext:
    """Of exactly these bytes: the files may be others by now. Raises ssl.SSLError for a pair that doesn't fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_pair(context, certificate, key)
    if client_ca is not None:
        context.load_verify_locations(cadata=client_ca.decode("ascii", "replace"))
        context.verify_mode = ssl.CERT_OPTIONAL
        # A session that is taken up again shows no certificate: who was let in once would be let in after it expired.
        # OpenSSL keeps those of TLS 1.2 by itself, and Python can't tell it not to.
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.num_tickets = 0
    return context


def _bad(files: TlsFiles, error: Exception) -> BadTls:
    names = ", ".join(str(file) for file in files.all)
    return BadTls(f"TLS can't use {names}: {why(error)}; give PEM files that belong together")
