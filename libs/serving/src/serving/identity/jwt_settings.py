"""What do the settings for JWTs mean? Keys that are read, and a policy; or a sentence that names the setting."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import unquote, urlsplit

from serving.client_tls import ClientTls, ClientTlsFiles, ClientTlsSettings
from serving.identity.jwks_url import JwksTimes, JwksUrl
from serving.identity.jwt_scheme import JwtScheme, KeyFile
from serving.identity.jwt_verifier import JwtPolicy
from serving.identity.key_file import key_file
from serving.identity.signing_keys import SigningKey, from_jwks, from_pem, from_secret
from serving.renewed_files import BadFiles
from serving.settings import BadSettings

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class JwtSettings:
    """Each is the setting of this name behind a prefix, such as GATEWAY_JWT_ISSUER."""

    issuer: str
    audience: str
    jwks_url: str
    jwks_ca_file: Path | None
    jwks_refresh_s: float
    public_keys_file: Path | None
    hmac_secret_file: Path | None
    identity_claim: str
    limits_claim: str
    clock_skew_s: float


def read_from(settings: object, prefix: str) -> JwtSettings:
    """Those of an object whose attributes have the names in small letters; `prefix` is such as gateway_jwt_."""
    return JwtSettings(**{field.name: getattr(settings, f"{prefix}{field.name}") for field in fields(JwtSettings)})


def jwt_scheme(settings: JwtSettings, prefix: str) -> JwtScheme | None:
    """The scheme, its files read; None = none is wanted. `prefix` is such as GATEWAY_JWT_. Raises BadSettings."""
    if not (settings.jwks_url or settings.public_keys_file or settings.hmac_secret_file):
        _refuse_unused(settings, prefix)
        return None
    audiences = tuple(settings.audience.replace(",", " ").split())
    if not settings.issuer or not audiences:
        raise BadSettings(
            f"{prefix}ISSUER, {prefix}AUDIENCE: both are needed to verify tokens, or those made for others would be "
            "accepted; give the iss and the aud of the tokens"
        )
    policy = JwtPolicy(
        settings.issuer, audiences, settings.identity_claim, settings.limits_claim, settings.clock_skew_s
    )
    return JwtScheme(policy, list(_files(settings, prefix)), _url(settings, prefix))


def _refuse_unused(settings: JwtSettings, prefix: str) -> None:
    named = [name for name in ("issuer", "audience", "jwks_ca_file") if getattr(settings, name)]
    if named:
        raise BadSettings(
            f"{prefix}{named[0].upper()}: is set without any keys, so no token could be verified; set "
            f"{prefix}JWKS_URL, {prefix}PUBLIC_KEYS_FILE or {prefix}HMAC_SECRET_FILE, too"
        )


def _files(settings: JwtSettings, prefix: str) -> Iterator[KeyFile]:
    if (jwks := _path(settings.jwks_url)) is not None:
        yield _file(jwks, from_jwks, f"{prefix}JWKS_URL")
    if settings.public_keys_file is not None:
        yield _file(settings.public_keys_file, from_pem, f"{prefix}PUBLIC_KEYS_FILE")
    if settings.hmac_secret_file is not None:
        yield _file(settings.hmac_secret_file, from_secret, f"{prefix}HMAC_SECRET_FILE")


def _file(file: Path, parse: Callable[[bytes], tuple[SigningKey, ...]], setting: str) -> KeyFile:
    try:
        return key_file(file, parse, setting)
    except BadFiles as error:
        raise BadSettings(f"{setting}: {error}") from None


def _path(url: str) -> Path | None:
    """The file that a URL names, or a path."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(url) if url and not parts.scheme else None


def _url(settings: JwtSettings, prefix: str) -> JwksUrl | None:
    parts = urlsplit(settings.jwks_url)
    if not parts.scheme or parts.scheme == "file":
        if settings.jwks_ca_file is not None:
            raise BadSettings(f"{prefix}JWKS_CA_FILE: is used with an https URL in {prefix}JWKS_URL only")
        return None
    is_near = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_near):
        raise BadSettings(
            f"{prefix}JWKS_URL: must be an https URL, a file URL or a path; plain http is taken of this machine only, "
            "as anybody on the way could put in a key"
        )
    return JwksUrl(settings.jwks_url, _context(settings, prefix), JwksTimes(refresh_s=settings.jwks_refresh_s))


def _context(settings: JwtSettings, prefix: str) -> ssl.SSLContext | None:
    if settings.jwks_ca_file is None:
        return None
    names = ClientTlsSettings(f"{prefix}JWKS_URL", f"{prefix}JWKS_CA_FILE", "", "an http URL")
    try:
        return ClientTls(ClientTlsFiles(settings.jwks_ca_file), names).context
    except BadFiles as error:
        raise BadSettings(f"{prefix}JWKS_CA_FILE: {error}") from None
