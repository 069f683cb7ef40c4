"""How is the traffic encrypted, and which clients are let in? Certificates from files, for gRPC and HTTP alike.

Files may be replaced while the server runs, as certificate issuers on Kubernetes do: they are looked at with each
handshake. A pair is served once it is read whole and fits; until then the old one stays.
"""

import logging
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

_START_WITHIN_S = 2.0
"""A start in the middle of a renewal waits so long for a pair that fits."""
_LOOK_EVERY_S = 0.1


class BadTls(Exception):
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


Stamp = tuple[tuple[int, int, int], ...]


class Certificates:
    """The pair that is served, for both ports; a better one is looked for with each handshake. From any thread."""

    def __init__(self, files: TlsFiles) -> None:
        """Blocking, for up to two seconds. Raises BadTls."""
        self.files = files
        self._lock = threading.Lock()
        self._seen, self._served = _at_start(files)

    @property
    def served(self) -> Served:
        """The newest pair that fits."""
        with self._lock:
            self._look()
            return self._served

    def look(self) -> None:
        """Look for a better pair now."""
        with self._lock:
            self._look()

    def _look(self) -> None:
        try:
            seen = _stamp(self.files)
        except OSError:
            return  # in the middle of being replaced: the next handshake looks again
        if seen == self._seen:
            return
        try:
            served = _read(self.files)
        except BadTls as error:
            log.warning("the certificate that is served stays: %s", error)
        else:
            self._served = served
            log.info("a renewed certificate is served from now on")
        self._seen = seen


def http_context(certificates: Certificates) -> ssl.SSLContext:
    """For the HTTP port; a client certificate is asked for, not demanded: a probe has none.

    Each handshake gets the context of the newest pair, which nobody changes any more.
    """
    served = certificates.served
    context = _context(served.certificate, served.key, served.client_ca)

    def refresh(connection: ssl.SSLObject, name: str | None, outer: ssl.SSLContext) -> None:
        connection.context = certificates.served.context

    context.sni_callback = refresh
    return context


def _at_start(files: TlsFiles) -> tuple[Stamp, Served]:
    until = time.monotonic() + _START_WITHIN_S
    while True:
        try:
            return _stamp(files), _read(files)
        except (OSError, BadTls) as error:
            if time.monotonic() >= until:
                raise error if isinstance(error, BadTls) else _bad(files, error) from error
        time.sleep(_LOOK_EVERY_S)


def _stamp(files: TlsFiles) -> Stamp:
    found = [file.stat() for file in files.all]
    return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)


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
    with tempfile.TemporaryDirectory() as folder:  # Python takes a chain from files only
        chain, secret = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_bytes(certificate)
        secret.touch(mode=0o600)
        secret.write_bytes(key)
        # Without a password an encrypted key is an error, not a question on a terminal.
        context.load_cert_chain(chain, secret, password="")
    if client_ca is not None:
        context.load_verify_locations(cadata=client_ca.decode("ascii", "replace"))
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _bad(files: TlsFiles, error: Exception) -> BadTls:
    names = ", ".join(str(file) for file in files.all)
    why = (error.reason or error) if isinstance(error, ssl.SSLError) else error
    return BadTls(f"TLS can't use {names}: {why}; give PEM files that belong together")
