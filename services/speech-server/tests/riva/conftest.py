"""A server in this process, on free ports, with scripted engines."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from speech_server.app import Server
from speech_server.settings import Settings

from .caller import Caller

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

StartServer = Callable[..., Awaitable[Server]]


@pytest.fixture
async def start_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StartServer]:
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
async def call_server(start_server: StartServer) -> AsyncIterator[Callable[..., Awaitable[Caller]]]:
    """Start a server with these settings and a client for it."""
    async with AsyncExitStack() as stack:

        async def call(**settings: str) -> Caller:
            server = await start_server(**settings)
            caller = Caller(server.grpc_port)
            stack.push_async_callback(caller.channel.close)
            return caller

        yield call


@pytest.fixture
async def caller(call_server: Callable[..., Awaitable[Caller]]) -> Caller:
    """A client of a server with the tests' usual settings."""
    return await call_server()
