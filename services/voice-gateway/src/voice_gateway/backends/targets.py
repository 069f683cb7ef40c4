"""Which servers does a gRPC target name? All addresses of a name, a list, or what only gRPC can resolve."""

import asyncio
import re
import socket
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

_DEFAULT_PORT = "443"
"""gRPC's own."""
_SPLIT = re.compile(r"^(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>\d+))?$")


@dataclass(frozen=True, slots=True)
class Name:
    """A host or an address; each address behind it is a server of its own."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """A target that gRPC resolves itself (unix:, xds:, or through an HTTP proxy): one server, as far as we can see."""

    target: str


Part: TypeAlias = Name | Opaque


@dataclass(frozen=True, slots=True)
class Address:
    """One server: the target of its channel, and the name it is known by ("" = its address)."""

    target: str
    authority: str = ""


def parts(target: str) -> Sequence[Part]:
    """The parts of "host:port", "host:port,host:port", or a target of gRPC's (dns:///host:port, ipv4:a:p,b:p)."""
    scheme, rest = _scheme(target)
    if scheme not in ("", "dns", "ipv4", "ipv6"):
        return (Opaque(target),)
    found: list[Part] = []
    for piece in (piece.strip() for piece in rest.split(",")):
        match = _SPLIT.match(piece)
        if match is None or not (host := match["v6"] or match["name"]):
            return (Opaque(target),)
        found.append(Opaque(piece) if _is_proxied(host) else Name(host, int(match["port"] or _DEFAULT_PORT)))
    return found


async def addresses(part: Part) -> list[Address]:
    """The servers behind a part now. Raises OSError when its name can't be resolved."""
    if isinstance(part, Opaque):
        return [Address(part.target)]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(part.host, part.port, type=socket.SOCK_STREAM)
    numeric = {where[0] for _, _, _, _, where in found}
    authority = "" if part.host in numeric else f"{part.host}:{part.port}"
    targets = dict.fromkeys(_numeric(family, str(where[0]), part.port) for family, _, _, _, where in found)
    return [Address(target, authority) for target in targets]


def unresolved(part: Part) -> Address:
    """What gRPC is given while we can't look a name up: it says what is wrong."""
    return Address(part.target if isinstance(part, Opaque) else f"dns:///{part.host}:{part.port}")


def host_and_port(address: Address) -> tuple[str, int] | None:
    """Where an address leads to; None = only gRPC knows."""
    scheme, rest = _scheme(address.target)
    match = _SPLIT.match(rest)
    if scheme not in ("dns", "ipv4", "ipv6") or match is None or not (host := match["v6"] or match["name"]):
        return None
    return host, int(match["port"] or _DEFAULT_PORT)


def _scheme(target: str) -> tuple[str, str]:
    """The scheme of a target and what follows it; "" = none."""
    match = re.match(r"^(dns|ipv4|ipv6):(?:///)?([^/].*)$", target)
    if match:
        return match[1], match[2]
    return (target.split(":")[0], "") if re.match(r"^[a-z][a-z0-9+.-]*:(?!\d+(,|$))", target) else ("", target)


def _numeric(family: int, address: str, port: int) -> str:
    return f"ipv6:[{address}]:{port}" if family == socket.AF_INET6 else f"ipv4:{address}:{port}"


def _is_proxied(host: str) -> bool:
    """Whether gRPC would go through an HTTP proxy, which alone may know the name."""
    proxies = urllib.request.getproxies_environment()
    return any(name in proxies for name in ("grpc", "https", "http")) and not urllib.request.proxy_bypass(host)
