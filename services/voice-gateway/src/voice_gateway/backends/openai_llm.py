"""How does a chat get its answer? Any OpenAI-compatible server, streamed; closing the stream is barge-in."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import httpx2
import openai
from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient

from voice_gateway.backends.seams import deadline, llm_errors, next_within
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.errors import no_text

_WARM_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """How long it may take, seconds, and what may be done before."""

    first_token_timeout_s: float
    token_timeout_s: float
    prewarms: bool
    """Whether it may be asked for its models while a question is only likely."""


def open_client(base_url: str, api_key: str) -> AsyncOpenAI:
    """Kept-alive connections to one endpoint."""
    # No retries in the client: a reply that starts late is worse than one that says so at once.
    return AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=DefaultAioHttpClient())


async def warm_up(client: AsyncOpenAI) -> None:
    """Load what the package loads late and open a connection: the first turn of a process costs 30 ms more else."""
    _ = client.chat.completions
    with suppress(openai.OpenAIError, httpx2.HTTPError, TimeoutError):  # the probes tell what is wrong
        async with asyncio.timeout(_WARM_UP_S):
            await client.models.list()


class OpenAiModel:
    """Asks one endpoint."""

    def __init__(self, client: AsyncOpenAI, settings: LlmSettings) -> None:
        self._client = client
        self._settings = settings

    async def get_ready(self) -> None:
        """Ask for nothing much, so that the connection is open and the code warm when the question comes: servers
        close connections that idle (vLLM's after 5 s), and a request after a pause costs 1.5 ms more."""
        if not self._settings.prewarms:
            return
        with suppress(openai.OpenAIError, httpx2.HTTPError, TimeoutError):  # the question will meet the same trouble
            async with asyncio.timeout(_WARM_UP_S):
                await self._client.get("/models", cast_to=object)

    async def answer(self, chat: Sequence[Message], options: LlmOptions) -> AsyncGenerator[str, None]:
        """Pieces of the answer. Thoughts of reasoning models are left out: nobody wants to hear them."""
        # Plain dicts both ways: the package's typed transform costs the loop 0.15 ms per message of history, its typed
        # chunks 0.1 ms per token.
        body = {
            "model": options.model,
            "messages": [{"role": entry.role, "content": entry.content} for entry in chat],
            "temperature": options.temperature,
            "max_tokens": options.max_tokens,
            "stream": True,
        }
        limit_s = self._settings.first_token_timeout_s
        with llm_errors():
            with deadline("llm", limit_s, "answer"):
                async with asyncio.timeout(limit_s):
                    stream = await self._client.post(
                        "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=AsyncStream[object]
                    )
            spoke = False
            try:
                chunks = aiter(stream)
                while (chunk := await next_within(chunks, limit_s, "llm", "token")) is not None:
                    if piece := _spoken(chunk):
                        limit_s, spoke = self._settings.token_timeout_s, True
                        yield piece
            finally:
                await stream.close()
        if not spoke:
            raise no_text()


def _spoken(chunk: object) -> str:
    """The text in a chunk, "" = none. The last chunk may have no choices, only usage."""
    try:
        content = chunk["choices"][0]["delta"].get("content")  # type: ignore[index]
    except (LookupError, TypeError, AttributeError):
        return ""
    return content if isinstance(content, str) else ""
