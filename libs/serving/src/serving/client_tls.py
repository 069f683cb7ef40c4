"""Whom does a program trust that connects to a server, what does it show it, and why was it not trusted?

PEM files, which may be replaced while it runs: each handshake takes those of then.
"""

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.renewed_files import BadFiles, RenewedFiles

_ALERT_WITHIN_S = 0.5
"""A server that wants a certificate says so after the handshake (TLS 1.3); the other ones speak or wait."""
_EXPIRED, _NOT_YET_VALID = (10,), (9,)
_OTHER_NAME = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_WANTS_ONE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_MESSAGE")


@dataclass(frozen=True, slots=True)
class ClientTlsFiles:
    """PEM files; without `authorities` the public ones are trusted."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def all(self) -> tuple[Path, ...]:
        """Those there are."""
        return tuple(file for file in (self.authorities, self.certificate, self.key) if file is not None)


@dataclass(frozen=True, slots=True)
class ClientTlsSettings:
    """What the settings behind the files are called, for sentences."""

    server: str
    """That names the server."""
    authorities: str
    certificate: str
    plaintext: str
    """What to set for a server without TLS: "RIVA_SSL=false"."""


@dataclass(frozen=True, slots=True)
class ClientPem:
    """What was read at one moment and fits."""

    authorities: bytes | None
    certificate: bytes | None
    key: bytes | None
    context: ssl.SSLContext


class ClientTls:
    """The trust and the certificate of one client."""

    def __init__(
        self,
        files: ClientTlsFiles,
        settings: ClientTlsSettings,
        default_context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        """`default_context` trusts the public authorities. Raises BadFiles."""
        self._files = files
        self._settings = settings
        self._default_context = default_context
        self._renewed = RenewedFiles(files.all, self._read, f"what {settings.server} is reached with")

    @property
    def pem(self) -> ClientPem:
        """Of now; the same object until a file changes."""
        return self._renewed.content

    @property
    def context(self) -> ssl.SSLContext:
        """For a library that keeps one: every handshake takes the files of then."""
        context = _ContextOfNow(ssl.PROTOCOL_TLS_CLIENT)
        context.now = lambda: self.pem.context
        return context

    async def trouble(self, host: str, port: int, name: str = "", protocol: str = "h2") -> str:
        """Connect and say what is wrong with the encryption, in a sentence; "" = nothing. `name` stands in the
        certificate, where it is not `host`."""
        pem = self.pem
        context = self._context(pem.authorities, pem.certificate, pem.key)
        context.set_alpn_protocols([protocol])
        try:
            reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name or host)
            try:
                async with asyncio.timeout(_ALERT_WITHIN_S):
                    spoke = await reader.read(1)
            finally:
                writer.transport.abort()  # a close would wait for the server's
        except TimeoutError:
            return ""
        except (ssl.SSLError, OSError) as error:
            return self.sentence(error, name or host)
        return "" if spoke else self._hung_up(name or host)

    def _hung_up(self, host: str) -> str:
        """Some servers say nothing of a certificate that they miss or refuse."""
        said, setting = f"{host} ends connections right after the TLS handshake", self._settings.certificate
        if self._files.certificate is None:
            return f"{said}; if it wants a client certificate, set {setting}"
        return f"{said}; if it refuses the certificate of {setting}, give it another one"

    def sentence(self, error: BaseException | None, host: str) -> str:
        """What went wrong with the encryption, and which setting changes it; "" = it was something else."""
        settings = self._settings
        cause = _innermost(error)
        if cause is None:
            return ""
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted(cause, host, settings, bool(self._files.authorities))
        reason = cause.reason or ""
        if reason in _NO_TLS:
            return f"{host} speaks no TLS; set {settings.plaintext} if that is meant"
        if any(part in reason for part in _WANTS_ONE) and self._files.certificate is None:
            return f"{host} wants a client certificate; set {settings.certificate}"
        if "ALERT" in reason:
            return f"{host} refuses the certificate of {settings.certificate} ({_words(reason)}); give it another one"
        return f"the TLS handshake with {host} failed ({_words(reason) or cause})"

    def _read(self) -> ClientPem:
        files, settings = self._files, self._settings
        authorities = _content(files.authorities, settings.authorities)
        certificate = _content(files.certificate, settings.certificate)
        key = _content(files.key, settings.certificate)
        return ClientPem(authorities, certificate, key, self._context(authorities, certificate, key))

    def _context(self, authorities: bytes | None, certificate: bytes | None, key: bytes | None) -> ssl.SSLContext:
        """Of exactly these bytes. Raises BadFiles."""
        files, settings = self._files, self._settings
        context = self._default_context() if authorities is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if authorities is not None:
            try:
                context.load_verify_locations(cadata=authorities.decode("ascii", "replace"))
            except (ssl.SSLError, ValueError) as error:
                said = f"{files.authorities} holds no PEM certificate ({why(error)})"
                raise BadFiles(f"{settings.authorities}: {said}") from None
        if certificate is not None and key is not None:
            try:
                load_pair(context, certificate, key)
            except (ssl.SSLError, ValueError) as error:
                said = f"{files.certificate} and {files.key} can't be used ({why(error)})"
                raise BadFiles(f"{settings.certificate}: {said}; give PEM files that belong together") from None
        return context


class _ContextOfNow(ssl.SSLContext):
    """Hands each handshake to the newest context."""

    now: Callable[[], ssl.SSLContext]

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        return self.now().wrap_bio(*arguments, **options)


def load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """A chain and its key. Raises ssl.SSLError for a pair that doesn't fit."""
    with tempfile.TemporaryDirectory() as folder:  # Python takes a chain from files only
        chain, secret = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_bytes(certificate)
        secret.touch(mode=0o600)
        secret.write_bytes(key)
        # Without a password an encrypted key is an error, not a question on a terminal.
        context.load_cert_chain(chain, secret, password="")


def why(error: Exception) -> str:
    """The reason alone, where OpenSSL gives one."""
    return (error.reason or str(error)) if isinstance(error, ssl.SSLError) else str(error)


def _untrusted(error: ssl.SSLCertVerificationError, host: str, settings: ClientTlsSettings, has_own: bool) -> str:
    code = error.verify_code
    if code in _EXPIRED:
        return f"the certificate of {host} ({settings.server}) has expired; renew it on that server"
    if code in _NOT_YET_VALID:
        return f"the certificate of {host} ({settings.server}) is not valid yet; compare the clocks of both machines"
    if code in _OTHER_NAME:
        return f"the certificate of {host} is for other names; set {settings.server} to one of them, or renew it"
    if has_own:
        return f"the certificate of {host} was signed by no authority of {settings.authorities}; add its own"
    return f"the certificate of {host} was signed by no public authority; name its authority in {settings.authorities}"


def _innermost(error: BaseException | None) -> ssl.SSLError | None:
    """What OpenSSL said: HTTP clients wrap it, in errors that are SSLErrors as well."""
    found = None
    while error is not None:
        found = error if isinstance(error, ssl.SSLError) else found
        error = error.__cause__ or error.__context__
    return found


def _words(reason: str) -> str:
    return reason.replace("_", " ").lower()


def _content(file: Path | None, setting: str) -> bytes | None:
    try:
        return file.read_bytes() if file is not None else None
    except OSError as error:
        raise BadFiles(f"{setting}: {file} can't be read ({error.strerror})") from None
