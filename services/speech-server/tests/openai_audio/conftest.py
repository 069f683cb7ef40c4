"""A server in this process with scripted engines, and an HTTP client for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest
from speech_server.app import Server
from speech_server.settings import Settings

QUICK = {
    "SPEECH_HOST": "127.0.0.1",
    "SPEECH_GRPC_PORT": "0",
    "SPEECH_HTTP_PORT": "0",
    "SPEECH_ASR_ENGINE": "scripted",
    "SPEECH_TTS_ENGINE": "tone",
    "SPEECH_DRAIN_NOTICE_S": "0",
    "SCRIPT_FINAL_DELAY_MS": "0",
    "TONE_FIRST_CHUNK_MS": "0",
}

Call = Callable[..., Awaitable[aiohttp.ClientSession]]


@pytest.fixture
async def start_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Start a server with these settings; it is stopped after the test."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> Server:
            for name, value in {**QUICK, **settings}.items():
                monkeypatch.setenv(name, value)
            server = Server(Settings())
            stack.push_async_callback(server.stop)
            await server.start()
            return server

        yield start


@pytest.fixture
async def call(start_server: Callable[..., Awaitable[Server]]) -> AsyncIterator[Call]:
    """Start a server with these settings and a client whose paths are its own."""
    async with AsyncExitStack() as stack:

        async def start(**settings: str) -> aiohttp.ClientSession:
            server = await start_server(**settings)
            session = aiohttp.ClientSession(f"http://127.0.0.1:{server.http_port}")
            return await stack.enter_async_context(session)

        yield start
