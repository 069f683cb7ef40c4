"""May a page of this origin use the server from a browser? A request that names no origin comes from no browser.

Without a list, pages that this server itself serves may. What the browser calls its origin is compared with the Host
that it asked: the scheme is not, as a proxy in front may speak TLS. Who connects from this very machine must also have
asked by a name of this machine, or a stranger's page could reach a gateway on a laptop by a host name that suddenly
means 127.0.0.1 (DNS rebinding).
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s,@]+")
_PORTS = {"http": 80, "https": 443}


def parse(text: str) -> tuple[str, ...]:
    """A comma list of origins, or *. Raises ValueError with a sentence."""
    origins = tuple(one.strip().lower() for one in text.split(",") if one.strip())
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is no origin; write such as https://app.example, without a path, or *")
    return origins


def is_allowed(origin: str, allowed: Sequence[str], host: str, peer: str) -> bool:
    """Whether a request with this Origin header may be served. `peer` is the address that it came from."""
    if not origin or "*" in allowed or origin.lower() in allowed:
        return True
    return _is_same(origin, host) and (not _is_loopback(peer) or _is_loopback(_host(f"//{host}")))


def _is_same(origin: str, host: str) -> bool:
    scheme = urlsplit(origin).scheme
    default = _PORTS.get(scheme)
    try:
        asked, came = urlsplit(f"//{host}"), urlsplit(origin)
        return bool(came.hostname) and (came.hostname, came.port or default) == (asked.hostname, asked.port or default)
    except ValueError:  # a port that is none
        return False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
