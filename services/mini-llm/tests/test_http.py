"""The server behaves like a NIM Llama towards the official client, over a real socket."""

import asyncio
import io
import json
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import openai
import pytest
from mini_llm.server import serving
from mini_llm.settings import Settings
from openai.types.chat import ChatCompletionChunk, ChatCompletionUserMessageParam

QUESTION: ChatCompletionUserMessageParam = {"role": "user", "content": "what is seven times eight"}
ANSWER = "Seven times eight is fifty six."
WAIT_S = 20.0
T = TypeVar("T")


@dataclass
class Recorded:
    """A timeline that tests can wait on."""

    events: list[dict[str, Any]] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def record(self, event: str, *, at: float | None = None, flush: bool = False, **fields: object) -> None:
        """Keep it and wake who waits."""
        self.events.append({"event": event, **fields})
        self._arrived.set()

    async def wait_for(self, event: str) -> dict[str, Any]:
        """The first event of that name, now or later."""
        async with asyncio.timeout(WAIT_S):
            while True:
                self._arrived.clear()
                for entry in self.events:
                    if entry["event"] == event:
                        return entry
                await self._arrived.wait()


@dataclass
class Site:
    """A running server and clients for it."""

    url: str
    openai: openai.AsyncOpenAI
    http: aiohttp.ClientSession
    timeline: Recorded

    async def post(self, **body: object) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a chat request."""
        async with self.http.post(f"{self.url}/v1/chat/completions", json=body) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of a GET."""
        async with self.http.get(self.url + path) as response:
            return response.status, await response.text()

    async def stream(self, **options: Any) -> list[ChatCompletionChunk]:
        """All chunks of the streamed answer to QUESTION."""
        chunks = await self.openai.chat.completions.create(
            model="mini-llm", messages=[QUESTION], stream=True, **options
        )
        return [chunk async for chunk in chunks]


@asynccontextmanager
async def site(**settings: Any) -> AsyncIterator[Site]:
    """A server with these settings on a free port of the loopback interface."""
    timeline = Recorded()
    async with AsyncExitStack() as stack:
        chosen = Settings(host="127.0.0.1", port=0, drain_s=0.2, **settings)
        port = await stack.enter_async_context(serving(chosen, timeline))
        url = f"http://127.0.0.1:{port}"
        client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=WAIT_S)
        stack.push_async_callback(client.close)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WAIT_S)))
        yield Site(url, client, http, timeline)


async def take(source: AsyncIterable[T], into: list[T]) -> None:
    """Everything that comes, kept also when the source breaks."""
    async for item in source:
        into.append(item)


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    """What was said."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


async def test_a_stream_begins_with_the_role_and_ends_with_the_finish_reason() -> None:
    async with site() as server:
        chunks = await server.stream()
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].choices[0].delta.content == ""
    assert [chunk.choices[0].delta.content for chunk in chunks[1:-1]] == [
        "Seven",
        " times",
        " eight",
        " is",
        " fifty",
        " six.",
    ]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 7 + ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].id.startswith("chatcmpl-")
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}


async def test_usage_comes_in_an_extra_chunk_without_choices() -> None:
    async with site() as server:
        chunks = await server.stream(stream_options={"include_usage": True})
    assert chunks[-1].choices == []
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 6, 11)
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_the_bytes_of_a_stream_are_events_that_end_with_done() -> None:
    async with site() as server:
        body = {"messages": [QUESTION], "stream": True}
        async with server.http.post(f"{server.url}/v1/chat/completions", json=body) as response:
            assert response.content_type == "text/event-stream"
            events = (await response.read()).decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    for event in events[:-2]:
        assert json.loads(event.removeprefix("data: "))["model"] == "mini-llm"


async def test_a_plain_answer_comes_whole() -> None:
    async with site() as server:
        completion = await server.openai.chat.completions.create(model="x", messages=[QUESTION])
    assert completion.choices[0].message.content == ANSWER
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 6


async def test_max_tokens_ends_the_answer_with_length() -> None:
    async with site() as server:
        chunks = await server.stream(max_tokens=2)
        completion = await server.openai.chat.completions.create(model="x", messages=[QUESTION], max_tokens=3)
    assert text_of(chunks) == "Seven times"
    assert chunks[-1].choices[0].finish_reason == "length"
    assert completion.choices[0].message.content == "Seven times eight"
    assert completion.choices[0].finish_reason == "length"


async def test_a_script_is_answered_whatever_is_asked() -> None:
    async with site(script="Well then, {last} is {what} I heard.") as server:
        assert text_of(await server.stream()) == "Well then, what is seven times eight is {what} I heard."


async def test_a_client_that_leaves_stops_the_answer() -> None:
    async with site(script="one two three four", token_ms=3_600_000) as server:
        chunks = await server.openai.chat.completions.create(model="x", messages=[QUESTION], stream=True)
        async for chunk in chunks:
            if chunk.choices[0].delta.content:
                break
        await chunks.close()
        ended = await server.timeline.wait_for("llm.ended")
        assert ended["reason"] == "abort"
        _, metrics = await server.get("/metrics")
    assert 'vllm:request_success_total{finished_reason="abort"} 1.0' in metrics
    assert "vllm:num_requests_running 0.0" in metrics
    assert "vllm:generation_tokens_total 1.0" in metrics


async def test_a_client_that_leaves_before_the_first_token_stops_the_answer() -> None:
    async with site(first_token_ms=3_600_000) as server:
        asking = asyncio.create_task(server.post(messages=[QUESTION]), name="a client that leaves")
        await server.timeline.wait_for("llm.request")
        asking.cancel()
        assert (await server.timeline.wait_for("llm.ended"))["reason"] == "abort"
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_many_streams_at_once_all_come_whole() -> None:
    async with site(token_ms=5) as server:
        answers = await asyncio.gather(*(server.stream() for _ in range(30)))
    assert [text_of(chunks) for chunks in answers] == [ANSWER] * 30


async def test_errors_come_in_the_form_of_vllm() -> None:
    async with site(strict_model=True) as server:
        assert await server.post(messages=[QUESTION], model="other") == (
            404,
            {
                "error": {
                    "message": "The model `other` does not exist.",
                    "type": "NotFoundError",
                    "param": "model",
                    "code": 404,
                }
            },
        )
        status, body = await server.post(messages=[])
        assert (status, body["error"]["type"], body["error"]["param"]) == (400, "BadRequestError", "messages")
        with pytest.raises(openai.BadRequestError, match="temperature"):
            await server.openai.chat.completions.create(model="mini-llm", messages=[QUESTION], temperature=9)


async def test_another_model_is_accepted_unless_told_otherwise() -> None:
    async with site(model="served") as server:
        status, body = await server.post(messages=[QUESTION], model="meta/llama-3.1-8b-instruct")
    assert (status, body["model"]) == (200, "served")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/chat/completions", 405), ("GET", "/nothing", 404), ("POST", "/", 404)]
)
async def test_a_wrong_address_is_answered_in_json(method: str, path: str, status: int) -> None:
    async with site() as server, server.http.request(method, server.url + path) as response:
        assert response.status == status
        assert (await response.json())["error"]["code"] == status


async def test_a_body_too_large_is_refused() -> None:
    async with site() as server:
        body = io.BytesIO(b" " * 5_000_000)
        async with server.http.post(f"{server.url}/v1/chat/completions", data=body) as response:
            assert response.status == 413
            assert (await response.json())["error"]["code"] == 413


async def test_models_and_health_are_those_of_a_nim() -> None:
    async with site(model="meta/mini") as server:
        models = await server.openai.models.list()
        assert [model.id for model in models.data] == ["meta/mini"]
        assert (await server.openai.models.retrieve("meta/mini")).owned_by == "mini-llm"
        assert (await server.get("/v1/models/other"))[0] == 404
        assert (await server.get("/v1/health/live"))[0] == 200
        status, body = await server.get("/v1/health/ready")
    assert (status, json.loads(body)) == (200, {"object": "health.response", "message": "Service is ready."})


async def test_while_loading_the_server_lives_but_is_not_ready_and_refuses() -> None:
    async with site(ready_after_ms=3_600_000) as server:
        assert (await server.get("/v1/health/live"))[0] == 200
        status, body = await server.get("/v1/health/ready")
        assert (status, json.loads(body)["message"]) == (503, "Service is loading.")
        status, refusal = await server.post(messages=[QUESTION])
        assert (status, refusal["error"]["message"]) == (503, "Service is loading.")


async def test_an_unavailable_model_heals_after_the_set_number_of_requests() -> None:
    async with site(fault="unavailable", fault_after=1, fault_count=1) as server:
        assert text_of(await server.stream()) == ANSWER
        with pytest.raises(openai.InternalServerError) as caught:
            await server.stream()
        assert caught.value.status_code == 503
        assert caught.value.response.headers["Retry-After"] == "1"
        assert text_of(await server.stream()) == ANSWER


async def test_a_rate_limit_says_when_to_come_back() -> None:
    async with site(fault="rate_limited") as server:
        with pytest.raises(openai.RateLimitError) as caught:
            await server.stream()
    assert caught.value.response.headers["Retry-After"] == "1"


async def test_an_error_midway_reaches_the_client_after_half_of_the_answer() -> None:
    async with site(fault="error_midway") as server:
        said: list[ChatCompletionChunk] = []
        chunks = await server.openai.chat.completions.create(model="x", messages=[QUESTION], stream=True)
        with pytest.raises(openai.APIError, match="middle of the answer"):
            await take(chunks, said)
        await chunks.close()
    assert text_of(said) == "Seven times eight"


async def test_a_connection_that_closes_midway_breaks_the_stream_of_the_client() -> None:
    async with site(fault="close_midway") as server:
        body = {"messages": [QUESTION], "stream": True}
        lines: list[bytes] = []
        async with server.http.post(f"{server.url}/v1/chat/completions", json=body) as response:
            with pytest.raises(aiohttp.ClientPayloadError):
                await take(response.content, lines)
        assert b" eight" in b"".join(lines)
        assert b"DONE" not in b"".join(lines)
        assert (await server.timeline.wait_for("llm.ended"))["reason"] == "error"


@pytest.mark.parametrize(("fault", "tokens"), [("silent", 0), ("stall_midway", 3)])
async def test_a_silent_model_opens_the_stream_and_says_no_more(fault: str, tokens: int) -> None:
    async with site(fault=fault) as server:
        body = {"messages": [QUESTION], "stream": True}
        async with server.http.post(f"{server.url}/v1/chat/completions", json=body) as response:
            assert response.status == 200
            for _ in range(2 * tokens):
                assert await response.content.readline()
            assert [entry for entry in server.timeline.events if entry["event"] == "llm.ended"] == []
        assert (await server.timeline.wait_for("llm.ended"))["reason"] == "abort"


async def test_a_header_sets_fault_and_pace_of_one_request() -> None:
    async with site(first_token_ms=3_600_000) as server:
        quick = {"x-mini-llm-first-token-ms": "0"}
        assert text_of(await server.stream(extra_headers=quick)) == ANSWER
        with pytest.raises(openai.RateLimitError):
            await server.stream(extra_headers={"x-mini-llm-fault": "rate_limited"})
        with pytest.raises(openai.BadRequestError, match="must be one of"):
            await server.stream(extra_headers={"x-mini-llm-fault": "flood"})
        with pytest.raises(openai.BadRequestError, match="number of milliseconds"):
            await server.stream(extra_headers={"x-mini-llm-token-ms": "soon"})


async def test_the_timeline_tells_when_each_token_was_written(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    async with (
        serving(Settings(host="127.0.0.1", port=0, timeline=path)) as port,
        aiohttp.ClientSession() as http,
        http.post(
            f"http://127.0.0.1:{port}/v1/chat/completions", json={"messages": [QUESTION], "stream": True}
        ) as response,
    ):
        await response.read()
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [entry["event"] for entry in entries] == ["llm.request", *["llm.token"] * 6, "llm.ended"]
    assert entries[0]["last"] == QUESTION["content"]
    assert [(entry["n"], entry["text"]) for entry in entries[1:3]] == [(1, "Seven"), (2, "Seven times")]
    assert entries[6]["text"] == ANSWER
    times = [entry["t"] for entry in entries]
    assert times == sorted(times)


async def test_a_running_answer_may_end_while_the_server_stops() -> None:
    async with AsyncExitStack() as stack:
        settings = Settings(host="127.0.0.1", port=0, token_ms=20, drain_s=WAIT_S)
        timeline = Recorded()
        http = await stack.enter_async_context(aiohttp.ClientSession())
        async with serving(settings, timeline) as port:
            body = {"messages": [QUESTION], "stream": True}
            response = await http.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body)
            await timeline.wait_for("llm.token")
        assert (await response.read()).endswith(b"data: [DONE]\n\n")
        assert (await timeline.wait_for("llm.ended"))["reason"] == "stop"


WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


async def test_a_declared_tool_is_called_in_pieces_and_its_result_read_out() -> None:
    async with site() as there:
        messages: list[Any] = [{"role": "user", "content": "What's the weather in Paris?"}]
        stream = await there.openai.chat.completions.create(
            model="mini-llm", messages=messages, tools=[WEATHER], stream=True
        )
        deltas = [chunk.choices[0] async for chunk in stream]
        pieces = [call for choice in deltas for call in choice.delta.tool_calls or []]
        assert pieces[0].function is not None
        assert (pieces[0].function.name, bool(pieces[0].id)) == ("get_weather", True)
        assert len(pieces) > 2
        arguments = "".join(piece.function.arguments or "" for piece in pieces if piece.function)
        assert json.loads(arguments) == {"city": "Paris"}
        assert deltas[-1].finish_reason == "tool_calls"
        assert not any(choice.delta.content for choice in deltas)

        whole = await there.openai.chat.completions.create(model="mini-llm", messages=messages, tools=[WEATHER])
        (call,) = whole.choices[0].message.tool_calls or []
        assert whole.choices[0].finish_reason == "tool_calls"
        function = {"name": "get_weather", "arguments": arguments}
        messages.append(
            {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]}
        )
        messages.append({"role": "tool", "tool_call_id": call.id, "content": '{"degrees": 21}'})
        answer = await there.openai.chat.completions.create(model="mini-llm", messages=messages, tools=[WEATHER])
        assert answer.choices[0].message.content == "Degrees: 21."
        assert answer.choices[0].finish_reason == "stop"


async def test_no_tool_is_called_where_none_may_be() -> None:
    async with site() as there:
        question: Any = [{"role": "user", "content": "What's the weather in Paris?"}]
        answer = await there.openai.chat.completions.create(
            model="mini-llm", messages=question, tools=[WEATHER], tool_choice="none"
        )
        assert answer.choices[0].message.content
        assert not answer.choices[0].message.tool_calls
