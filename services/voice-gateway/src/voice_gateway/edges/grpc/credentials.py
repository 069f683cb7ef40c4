"""How does the gRPC port prove who it is? By certificate files that may be replaced while it serves."""

import logging
import ssl
from pathlib import Path

import grpc

log = logging.getLogger(__name__)

_Files = tuple[bytes, bytes, bytes | None]


class ServerTls:
    """The certificate that new connections are shown. Raises OSError, with a sentence, when the files can't be used
    at the start; later the old ones stay until better ones come."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        self._certificate = certificate
        self._key = key
        self._client_ca = client_ca
        self._trouble = ""
        self._check()
        self._seen = self._read()
        self._shown = _configuration(self._seen)

    @property
    def credentials(self) -> grpc.ServerCredentials:
        """For `add_secure_port`; gRPC asks for the certificate on every new connection."""
        return grpc.dynamic_ssl_server_credentials(self._shown, lambda: self._shown, self._client_ca is not None)

    def look(self) -> None:
        """Show what stands in the files now, if it is another certificate and key that fit together."""
        try:
            files = self._read()
            if files == self._seen:
                return
            self._check()
            if self._read() != files:
                return  # they are being replaced in this moment: next time
        except OSError as error:
            if str(error) != self._trouble:
                log.warning("the certificate stays as it is: %s", error)
            self._trouble = str(error)
            return
        self._seen, self._trouble = files, ""
        self._shown = _configuration(files)
        log.info("new connections are shown the new certificate")

    def _read(self) -> _Files:
        authorities = self._client_ca.read_bytes() if self._client_ca else None
        return self._certificate.read_bytes(), self._key.read_bytes(), authorities

    def _check(self) -> None:
        """gRPC itself would find out with the first caller only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # Without a password an encrypted key is an error, not a question on a terminal.
            context.load_cert_chain(self._certificate, self._key, password="")
            if self._client_ca:
                context.load_verify_locations(self._client_ca)
        except ssl.SSLError as error:
            named = " and ".join(str(file) for file in (self._certificate, self._key, self._client_ca) if file)
            sentence = f"{named} can't be used ({error.reason or error}); give PEM files that belong together"
            raise OSError(sentence) from None


def _configuration(files: _Files) -> grpc.ServerCertificateConfiguration:
    certificate, key, authorities = files
    return grpc.ssl_server_certificate_configuration([(key, certificate)], authorities)
