"""The client of a language model, and a scripted server that it asks over a real socket."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fake_llm import Answer, FakeLlm
from voice_gateway.backends.llm_access import LlmAccess
from voice_gateway.backends.openai_llm import LlmSettings, OpenAiModel, open_clients


@asynccontextmanager
async def model(*answers: Answer) -> AsyncGenerator[tuple[OpenAiModel, FakeLlm], None]:
    server = FakeLlm()
    server.answers.extend(answers)
    await server.start()
    try:
        async with open_clients(LlmAccess(f"http://127.0.0.1:{server.port}/v1", lambda: "key")) as clients:
            yield OpenAiModel(clients, LlmSettings(5.0, 5.0, prewarms=False)), server
    finally:
        await server.stop()
