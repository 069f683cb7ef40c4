"""What is a client called that showed a certificate? Its common name, else its first alternative name; "" = none."""

from collections.abc import Iterable, Mapping
from typing import Any

_MOST_CHARS = 128


def of_grpc(auth_context: Mapping[str, Iterable[bytes]]) -> str:
    """`context.auth_context()` of an RPC."""
    for field in ("x509_common_name", "x509_subject_alternative_name"):
        for name in filter(None, auth_context.get(field, ())):
            return _shown(name.decode("utf-8", "replace"))
    return ""


def of_http(certificate: Mapping[str, Any] | None) -> str:
    """`transport.get_extra_info("peercert")` of a request."""
    if not certificate:
        return ""
    for part in certificate.get("subject", ()):
        for field, name in part:
            if field == "commonName" and name:
                return _shown(str(name))
    return next((_shown(str(name)) for _, name in certificate.get("subjectAltName", ())), "")


def _shown(name: str) -> str:
    """As it may stand in a log."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:_MOST_CHARS]
