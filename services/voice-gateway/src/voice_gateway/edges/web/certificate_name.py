"""Which name stands in the certificate that the sender of a request showed? "" = it showed none."""

from aiohttp import web
from serving import peer_certificate


def certificate_name(request: web.Request) -> str:
    """For `Callers.identify`."""
    transport = request.transport
    return peer_certificate.of_http(transport.get_extra_info("peercert")) if transport is not None else ""
