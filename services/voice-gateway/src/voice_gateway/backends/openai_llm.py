"""How does a chat get its answer? Any OpenAI-compatible server, streamed; closing the stream is barge-in."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import cast

from openai import AsyncOpenAI, DefaultAioHttpClient
from openai.types.chat import ChatCompletionMessageParam

from voice_gateway.backends.seams import deadline, llm_errors, next_within
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.errors import Broken


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """Where the model is and how long it may take, seconds."""

    base_url: str
    api_key: str
    first_token_timeout_s: float
    token_timeout_s: float


class OpenAiModel:
    """Asks one endpoint over kept-alive connections."""

    def __init__(self, settings: LlmSettings) -> None:
        self._settings = settings
        # No retries in the client: a reply that starts late is worse than one that says so at once.
        self._client = AsyncOpenAI(
            base_url=settings.base_url, api_key=settings.api_key, max_retries=0, http_client=DefaultAioHttpClient()
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def answer(self, chat: Sequence[Message], options: LlmOptions) -> AsyncGenerator[str, None]:
        """Pieces of the answer. Thoughts of reasoning models are left out: nobody wants to hear them."""
        wire = cast(
            "list[ChatCompletionMessageParam]", [{"role": entry.role, "content": entry.content} for entry in chat]
        )
        limit_s = self._settings.first_token_timeout_s
        with llm_errors():
            with deadline("llm", limit_s, "answer"):
                async with asyncio.timeout(limit_s):
                    stream = await self._client.chat.completions.create(
                        model=options.model,
                        messages=wire,
                        temperature=options.temperature,
                        max_tokens=options.max_tokens,
                        stream=True,
                    )
            spoke = False
            try:
                chunks = aiter(stream)
                while (chunk := await next_within(chunks, limit_s, "llm", "token")) is not None:
                    piece = chunk.choices[0].delta.content if chunk.choices else None
                    if piece:
                        limit_s, spoke = self._settings.token_timeout_s, True
                        yield piece
            finally:
                await stream.close()
        if not spoke:
            raise Broken("llm", "the language model answered with no text; ask again")
