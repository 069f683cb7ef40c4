"""What does a model do before it is asked? It opens its connection, and keeps its troubles to itself."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from voice_gateway.backends.llm_access import LlmAccess
from voice_gateway.backends.openai_llm import LlmSettings, OpenAiModel, open_clients


@asynccontextmanager
async def server(status: int) -> AsyncGenerator[tuple[str, list[str]], None]:
    """A server that answers every request with `status`; its URL and the connections the requests came on."""
    connections: list[str] = []

    async def answer(http: web.Request) -> web.Response:
        connections.append(f"{http.path} {http.transport.get_extra_info('peername') if http.transport else None}")
        return web.json_response({"object": "list", "data": []}, status=status)

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", answer), web.post("/{path:.*}", answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", connections
    await runner.cleanup()


async def get_ready(base_url: str, *, prewarms: bool = True) -> None:
    async with open_clients(LlmAccess(base_url, lambda: "key")) as clients:
        asked = OpenAiModel(clients, LlmSettings(2.0, 2.0, prewarms))
        await asked.get_ready()
        await asked.get_ready()


async def test_getting_ready_opens_the_connection_the_question_then_uses() -> None:
    async with server(200) as (url, connections):
        await get_ready(url)
        assert len(connections) == 2
        assert len(set(connections)) == 1
        assert connections[0].startswith("/v1/models ")


async def test_an_operator_who_forbids_it_is_obeyed() -> None:
    async with server(200) as (url, connections):
        await get_ready(url, prewarms=False)
        assert connections == []


@pytest.mark.parametrize("status", [401, 404, 429, 500])
async def test_a_server_that_refuses_is_no_trouble_yet(status: int) -> None:
    async with server(status) as (url, connections):
        await get_ready(url)
        assert len(connections) == 2


async def test_a_server_that_is_gone_is_no_trouble_yet() -> None:
    async with server(200) as (url, _):
        pass
    await get_ready(url)
