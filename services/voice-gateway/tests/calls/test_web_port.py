"""The port for browsers and WebSockets: whatever is asked for, the answer is JSON with one sentence."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from lab import lab
from voice_gateway.core.admission import Refusal, RefusalKind
from voice_gateway.edges.web.application import application
from voice_gateway.errors import (
    BadRequest,
    Broken,
    Forbidden,
    NotFound,
    RateLimited,
    Refused,
    StreamReplaced,
    Unauthorised,
    Unsupported,
)

ERRORS: list[tuple[Exception, int, Mapping[str, str]]] = [
    (Refused(Refusal(RefusalKind.BUSY, "all taken", 1.5)), 429, {"Retry-After": "2", "retry-after-ms": "1500"}),
    (Refused(Refusal(RefusalKind.DRAINING, "draining", 0.1)), 503, {"Retry-After": "1", "retry-after-ms": "100"}),
    (RateLimited("too often", 3.0), 429, {"Retry-After": "3"}),
    (Unauthorised("no token"), 401, {"WWW-Authenticate": "Bearer"}),
    (Forbidden("not yours to choose"), 403, {}),
    (BadRequest("not so"), 400, {}),
    (Unsupported("not here"), 501, {}),
    (NotFound("no such call"), 404, {}),
    (StreamReplaced("elsewhere"), 409, {}),
    (Broken("llm", "it broke"), 500, {}),
]


async def asked(path: str, endpoint: Any) -> tuple[int, Mapping[str, str], dict[str, Any]]:
    """What a client is told that asks for `path`."""
    async with TestClient(TestServer(application([web.post("/here", endpoint)]))) as client:
        answer = await client.post(path, data=b"{}")
        return answer.status, answer.headers, await answer.json()


@pytest.mark.parametrize(("error", "status", "headers"), ERRORS, ids=lambda value: type(value).__name__)
async def test_a_refusal_has_a_status_and_its_sentence(
    error: Exception, status: int, headers: Mapping[str, str]
) -> None:
    async def endpoint(_: web.Request) -> web.Response:
        raise error

    told, sent, body = await asked("/here", endpoint)
    assert (told, body["error"]["message"]) == (status, str(error))
    assert headers.items() <= dict(sent).items()


async def test_a_fault_of_the_gateway_shows_nothing_of_itself() -> None:
    async def endpoint(_: web.Request) -> web.Response:
        raise ValueError("a secret")

    status, _, body = await asked("/here", endpoint)
    assert status == 500
    assert "secret" not in json.dumps(body)
    assert body["error"]["type"] == "server_error"


async def test_a_body_that_is_too_large_is_refused() -> None:
    async def endpoint(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    async with TestClient(TestServer(application([web.post("/here", endpoint)]))) as client:
        answer = await client.post("/here", data=bytes(256 * 1024 + 1))
        assert answer.status == 413
        assert "256 KiB" in (await answer.json())["error"]["message"]


async def test_the_gateway_serves_it_and_says_what_is_not_there() -> None:
    async with (
        lab() as there,
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{there.web_port}/nothing") as answer,
    ):
        assert answer.status == 404
        assert (await answer.json())["error"]["message"] == "nothing is served at this path"
