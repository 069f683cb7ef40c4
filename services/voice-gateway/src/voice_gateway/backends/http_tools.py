"""How is a tool behind an HTTP endpoint called? POST with the arguments as JSON; what comes back is the result.

What a peer may do is bounded: redirects are not followed, answers are read up to a size and not unpacked. Whoever asks
bounds the whole call in time.
"""

import json
import logging
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from serving.client_tls import ClientTls, ClientTlsFiles, ClientTlsSettings
from serving.renewed_files import BadFiles

from voice_gateway.config_tools import HttpTool, ToolEndpoint
from voice_gateway.core.tools import Tool
from voice_gateway.errors import ToolFailed

log = logging.getLogger(__name__)

_CONNECTIONS, _CONNECT_S = 200, 5.0
_SETTINGS = ClientTlsSettings("url", "ca_file", "client_cert_file", "url: http://...")
_REASON_CHARS = 500
"""Of the body of a refusal (HTTP 4xx): it may say what to do."""


@asynccontextmanager
async def open_http_tools(
    declared: Sequence[HttpTool], timeout_s: float, max_bytes: int
) -> AsyncGenerator["HttpTools", None]:
    """The tools and their connections, closed at the end. Raises ValueError for a TLS file that can't be used."""
    contexts = {tool.name: tls_context(tool.http) for tool in declared}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    ) as session:
        yield HttpTools(declared, timeout_s, max_bytes, session, contexts)


def tls_context(endpoint: ToolEndpoint) -> ssl.SSLContext | None:
    """How its server is known, and what it is shown, by the files of each handshake; None = nothing special. Raises
    ValueError."""
    if endpoint.ca_file is None and endpoint.client_cert_file is None:
        return None
    shown = endpoint.client_cert_file
    files = ClientTlsFiles(endpoint.ca_file, shown, endpoint.client_key_file or shown)  # one file may hold both
    try:
        return ClientTls(files, _SETTINGS).context
    except BadFiles as error:
        raise ValueError(f"{endpoint.url}: {error}") from None


class HttpTools:
    """Implements OperatorTools."""

    def __init__(
        self,
        declared: Sequence[HttpTool],
        timeout_s: float,
        max_bytes: int,
        session: aiohttp.ClientSession,
        contexts: Mapping[str, ssl.SSLContext | None],
    ) -> None:
        self._endpoints = {tool.name: tool.http for tool in declared}
        self._max_bytes = max_bytes
        self._session = session
        self._contexts = contexts
        self.tools: Sequence[Tool] = [
            Tool(
                tool.name,
                tool.description,
                json.dumps(tool.parameters, ensure_ascii=False),
                tool.side_effects,
                tool.timeout_s or timeout_s,
                "http",
            )
            for tool in declared
        ]

    async def call(self, name: str, arguments: Mapping[str, Any], key: str) -> str:
        """What the endpoint answers. Raises ToolFailed."""
        endpoint = self._endpoints[name]
        try:
            headers = {
                "Accept": "application/json, text/*",
                "Accept-Encoding": "identity",
                "Idempotency-Key": key,
                **endpoint.header_values(),
            }
            async with self._session.post(
                endpoint.url, json=arguments, headers=headers, ssl=self._contexts[name] or True, allow_redirects=False
            ) as response:
                return await self._result(name, response)
        except (aiohttp.ClientError, ValueError, OSError) as error:
            log.warning("tool %s can't be used: %s", name, error or type(error).__name__)
            raise ToolFailed("the tool can't be reached, or answers nonsense.") from None

    async def _result(self, name: str, response: aiohttp.ClientResponse) -> str:
        body = await self._read(response)
        status = response.status
        if 200 <= status < 300 and body is None:
            log.warning("tool %s answers more than %d bytes, or packed", name, self._max_bytes)
            raise ToolFailed("the tool answers more than can be read.")
        if 200 <= status < 300:
            return _text(body or b"")
        log.warning("tool %s answers HTTP %d", name, status)
        reason = ""
        if 400 <= status < 500 and body:
            reason = f": {body.decode(errors='replace')[:_REASON_CHARS].strip()}"
        raise ToolFailed(f"the tool answers HTTP {status}{reason}")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """The body; None = it is too large, or packed."""
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            return None
        body = b""
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_bytes:
                response.close()
                return None
        return body


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise ToolFailed("the tool answers what is no text.") from None
