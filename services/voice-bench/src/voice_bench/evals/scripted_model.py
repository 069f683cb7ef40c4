"""What does the language model of a scenario answer? OpenAI's HTTP, on a transport that has no network.

The question is the last message of the caller in the chat, so a question that is asked again (because a reply was
begun for nothing) gets the same answer again.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
from openai import AsyncOpenAI
from voice_gateway.core.conversation import CALL_BEGINS

from voice_bench.evals.moments import Moments, holds_words
from voice_bench.evals.scenario import ModelAnswer, ModelScript

_ALL_RIGHT = ModelAnswer(say="All right.")


class ScriptedModel(httpx2.AsyncBaseTransport):
    """The endpoint."""

    def __init__(self, script: ModelScript, moments: Moments) -> None:
        self._script = script
        self._moments = moments
        self._asked: Counter[int] = Counter()
        self.chats: list[list[dict[str, Any]]] = []

    def client(self) -> AsyncOpenAI:
        """A client of it."""
        http = httpx2.AsyncClient(transport=self)
        return AsyncOpenAI(base_url="http://model.scripted/v1", api_key="none", max_retries=0, http_client=http)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """As a server does."""
        if not request.url.path.endswith("/chat/completions"):
            return httpx2.Response(200, json={"object": "list", "data": []}, request=request)
        chat = json.loads(await request.aread())["messages"]
        self.chats.append(chat)
        place, answer = self._answer(chat)
        self._moments.note("model asked", _question(chat))
        self._asked[place] += 1
        fault = answer.fault if self._asked[place] <= answer.fault_times else None
        if fault == "refuses":
            return httpx2.Response(503, json={"error": {"message": "by the script"}}, request=request)
        stream = _AnswerStream(answer, fault, after_tools=chat[-1]["role"] == "tool")
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=stream, request=request)

    def _answer(self, chat: Sequence[dict[str, Any]]) -> tuple[int, ModelAnswer]:
        """Which answer it is, by its place, and the answer."""
        question = _question(chat)
        for place, answer in enumerate(self._script.answers):
            if answer.to is not None and holds_words(question, answer.to):
                return place, answer
        others = [(place, answer) for place, answer in enumerate(self._script.answers) if answer.to is None]
        if not others:
            return -1, _ALL_RIGHT
        return others[min(max(0, _turns(chat) - 1), len(others) - 1)]


class _AnswerStream(httpx2.AsyncByteStream):
    def __init__(self, answer: ModelAnswer, fault: str | None, *, after_tools: bool) -> None:
        self._answer = answer
        self._fault = fault
        self._after_tools = after_tools

    async def __aiter__(self) -> AsyncIterator[bytes]:
        answer = self._answer
        if self._fault == "hangs":
            await asyncio.Event().wait()
        await asyncio.sleep(answer.first_token)
        words = (answer.then_say if self._after_tools else answer.say).split()
        if self._fault == "says nothing":
            words = []
        if self._fault in ("breaks", "stalls"):
            words = words[: max(1, len(words) // 2)]
        for number, word in enumerate(words):
            if number:
                await asyncio.sleep(1 / answer.tokens_per_second)
            yield _chunk({"content": f" {word}" if number else word})
        if self._fault == "stalls":
            await asyncio.Event().wait()
        if self._fault == "breaks":
            raise httpx2.ReadError("by the script")
        calls = () if self._after_tools else answer.calls
        for place, call in enumerate(calls):
            function = {"name": call.name, "arguments": json.dumps(call.arguments)}
            yield _chunk(
                {"tool_calls": [{"index": place, "id": f"call-{place + 1}", "type": "function", "function": function}]}
            )
        yield _chunk({}, finish="tool_calls" if calls else "stop")
        yield b"data: [DONE]\n\n"


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


def _turns(chat: Sequence[dict[str, Any]]) -> int:
    """How many turns of the caller's there are; those that nobody answered stand in one message, a line each."""
    questions = [str(message.get("content") or "") for message in chat if message["role"] == "user"]
    return sum(len(text.splitlines()) for text in questions if text != CALL_BEGINS.content)


def _question(chat: Sequence[dict[str, Any]]) -> str:
    return next((str(message.get("content") or "") for message in reversed(chat) if message["role"] == "user"), "")
