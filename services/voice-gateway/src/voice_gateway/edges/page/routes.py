"""What does the gateway serve at `/`? One page for browsers, and headers that allow it nothing but itself."""

import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import hdrs, web

_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    ),
    "Permissions-Policy": "microphone=(self), autoplay=(self), camera=(), geolocation=(), display-capture=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml"}
"""Whatever the system's own table says."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page, kept in memory: there are few, and they are small."""

    body: bytes
    type: str
    tag: str


def routes() -> list[web.RouteDef]:
    """For an application: the page, and what it loads from /page/."""
    assets = {path: _asset(file) for path, file in _found(files(__package__) / "static")}

    async def serve(request: web.Request) -> web.StreamResponse:
        asset = assets.get(request.match_info.get("path", "index.html"))
        if asset is None:
            raise web.HTTPNotFound
        headers = {**_HEADERS, hdrs.ETAG: f'"{asset.tag}"'}
        if any(tag.value == asset.tag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, content_type=asset.type, charset="utf-8", headers=headers)

    return [web.get("/", serve), web.get("/page/{path:.+}", serve)]


def _found(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    """Every file below a folder, by its path from there."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _found(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry


def _asset(file: Traversable) -> Asset:
    body = file.read_bytes()
    suffix = file.name[file.name.rfind(".") :]
    type_ = _TYPES.get(suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Asset(body, type_, hashlib.sha256(body).hexdigest()[:32])
