"""What becomes of an answer when the model's server stalls, refuses or breaks off? Real sockets, scripted bytes."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate

import pytest
from voice_gateway.backends.llm_access import LlmAccess
from voice_gateway.backends.openai_llm import LlmSettings, OpenAiModel, open_clients
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.errors import Broken, TooSlow, Unavailable, Upstream, failed

Respond = Callable[["Connection"], Awaitable[None]]
LIMIT_S = 0.15
ENOUGH_S = 4.0
"""Where no limit is meant to pass."""
STEP_S = LIMIT_S / 5


class Connection:
    """One request on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def headers(self, status: str = "200 OK", *more: str) -> None:
        lines = (f"HTTP/1.1 {status}", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", *more)
        self.writer.write("\r\n".join((*lines, "", "")).encode())

    async def send(self, raw: str) -> None:
        self.writer.write(f"{len(raw.encode()):x}\r\n{raw}\r\n".encode())
        await self.writer.drain()

    async def delta(self, **delta: object) -> None:
        await self.send(f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n")

    async def end(self) -> None:
        await self.send("data: [DONE]\n\n")
        self.writer.write(b"0\r\n\r\n")

    def reset(self) -> None:
        self.writer.transport.abort()


class Server:
    """Each request gets the next response; the last one is for all that follow."""

    def __init__(self, *responses: Respond) -> None:
        self.responses = list(responses)
        self.requests: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server:
            self._server.close()

    async def close(self) -> None:
        """Nothing is left."""
        self.stop()
        for task, writer in list(self._serving.items()):
            writer.transport.abort()
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving[asyncio.current_task()] = writer
        try:
            while line := await reader.readline():
                size = 0
                while (header := await reader.readline()).strip():
                    name, _, value = header.decode().partition(":")
                    size = int(value) if name.lower() == "content-length" else size
                await reader.readexactly(size)
                self.requests.append(line.decode().split(" ")[1])
                respond = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
                await respond(Connection(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            del self._serving[asyncio.current_task()]


@asynccontextmanager
async def asking(
    *responses: Respond, first_s: float = LIMIT_S, next_s: float = LIMIT_S
) -> AsyncGenerator["Asking", None]:
    server = Server(*responses)
    await server.start()
    try:
        async with open_clients(LlmAccess(f"http://127.0.0.1:{server.port}/v1", lambda: "key")) as clients:
            yield Asking(OpenAiModel(clients, LlmSettings(first_s, next_s, prewarms=True)), server)
    finally:
        await server.close()


class Asking:
    def __init__(self, model: OpenAiModel, server: Server) -> None:
        self.model = model
        self.server = server
        self.said: list[str] = []

    async def answer(self, pause_s: float = 0.0) -> str:
        """All of it; whoever asked takes `pause_s` over each piece."""
        async for piece in self.model.answer([Message("user", "hi")], LlmOptions("m", 0.0, 8)):
            assert isinstance(piece, str)
            self.said.append(piece)
            await asyncio.sleep(pause_s)
        return "".join(self.said)


async def whole(connection: Connection) -> None:
    await connection.headers()
    await connection.delta(content="All ")
    await connection.delta(content="right.")
    await connection.end()


async def dies_at_once(connection: Connection) -> None:
    connection.reset()


async def dies_before_a_word(connection: Connection) -> None:
    await connection.headers()
    await connection.delta(role="assistant", content="")
    connection.reset()


async def closes_before_a_word(connection: Connection) -> None:
    """As a proxy does whose server died: a clean end that is none."""
    await connection.headers()
    connection.writer.write(b"0\r\n\r\n")


async def dies_in_mid_answer(connection: Connection) -> None:
    await connection.headers()
    await connection.delta(content="All ")
    connection.reset()


async def closes_in_mid_answer(connection: Connection) -> None:
    await connection.headers()
    await connection.delta(content="All ")
    connection.writer.write(b"0\r\n\r\n")


NOTHINGS: dict[str, Callable[[Connection], Awaitable[None]]] = {
    "empty deltas": lambda connection: connection.delta(content=""),
    "deltas without content": lambda connection: connection.delta(role="assistant"),
    "null content": lambda connection: connection.delta(content=None),
    "thoughts": lambda connection: connection.delta(content="", reasoning_content="Let me think."),
    "newlines": lambda connection: connection.delta(content="\n"),
    "comments": lambda connection: connection.send(": keepalive\n\n"),
    "usage": lambda connection: connection.send('data: {"choices": [], "usage": {"total_tokens": 1}}\n\n'),
    "no objects": lambda connection: connection.send("data: [1, 2]\n\n"),
    "half lines": lambda connection: connection.send("data"),
}


@pytest.mark.parametrize("nothing", NOTHINGS.values(), ids=NOTHINGS)
@pytest.mark.parametrize("said", [False, True], ids=["before the first word", "after a word"])
async def test_messages_that_bring_no_text_extend_no_limit(
    nothing: Callable[[Connection], Awaitable[None]], said: bool
) -> None:
    async def stall(connection: Connection) -> None:
        await connection.headers()
        if said:
            await connection.delta(content="All ")
        while True:
            await nothing(connection)
            await asyncio.sleep(STEP_S)

    async with asking(stall) as there:
        began = time.monotonic()
        with pytest.raises(TooSlow, match=f"no text within {LIMIT_S} s"):
            await there.answer()
        assert time.monotonic() - began < 2 * LIMIT_S + 1.0
        assert there.server.requests == ["/v1/chat/completions"]


async def test_headers_and_first_word_share_one_limit() -> None:
    async def late(connection: Connection) -> None:
        await asyncio.sleep(0.7 * LIMIT_S)
        await connection.headers()
        await asyncio.sleep(0.7 * LIMIT_S)
        await connection.delta(content="Late.")

    async with asking(late) as there:
        with pytest.raises(TooSlow):
            await there.answer()


async def test_whoever_asks_may_take_their_time_over_a_word() -> None:
    async with asking(whole, first_s=ENOUGH_S, next_s=0.3) as there:
        assert await there.answer(pause_s=0.4) == "All right."


async def test_each_word_gives_the_next_one_its_whole_limit() -> None:
    async def slow(connection: Connection) -> None:
        await connection.headers()
        for _ in range(4):
            await asyncio.sleep(0.2)
            await connection.delta(content="on ")
        await connection.end()

    async with asking(slow, first_s=0.7, next_s=0.7) as there:
        assert await there.answer() == "on on on on "


@pytest.mark.parametrize(
    "fault", [dies_at_once, dies_before_a_word, closes_before_a_word], ids=lambda fault: fault.__name__
)
async def test_a_connection_that_breaks_before_a_word_gets_one_fresh_try(fault: Respond) -> None:
    async with asking(fault, whole, first_s=ENOUGH_S) as there:
        assert await there.answer() == "All right."
        assert len(there.server.requests) == 2


@pytest.mark.parametrize(
    "fault", [dies_at_once, dies_before_a_word, closes_before_a_word], ids=lambda fault: fault.__name__
)
async def test_the_second_failure_is_told(fault: Respond) -> None:
    async with asking(fault, first_s=ENOUGH_S) as there:
        with pytest.raises(Unavailable):
            await there.answer()
        assert len(there.server.requests) == 2


@pytest.mark.parametrize("fault", [dies_in_mid_answer, closes_in_mid_answer], ids=lambda fault: fault.__name__)
async def test_an_answer_that_is_cut_off_is_told_and_not_begun_again(fault: Respond) -> None:
    async with asking(fault, whole, first_s=ENOUGH_S, next_s=ENOUGH_S) as there:
        with pytest.raises(Unavailable):
            await there.answer()
        assert there.said == ["All "]
        assert len(there.server.requests) == 1


async def test_an_end_without_done_is_an_end_where_the_last_chunk_says_why() -> None:
    async def without_done(connection: Connection) -> None:
        await connection.headers()
        await connection.delta(content="All right.")
        await connection.send('data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n')
        connection.writer.write(b"0\r\n\r\n")

    async with asking(without_done, first_s=ENOUGH_S, next_s=ENOUGH_S) as there:
        assert await there.answer() == "All right."


async def test_kept_alive_connections_that_are_closed_as_they_are_reused_lose_no_turn() -> None:
    """Two of them: the fresh try must not take the other one."""

    async def models(connection: Connection) -> None:
        connection.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")

    async with asking(models, models, dies_at_once, whole, first_s=ENOUGH_S, next_s=ENOUGH_S) as there:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(there.model.get_ready())
        assert await there.answer() == "All right."
        assert there.server.requests[2:] == ["/v1/chat/completions"] * 2


async def test_a_server_that_refuses_once_is_asked_again() -> None:
    async with asking(whole, first_s=2.0) as there:
        there.server.stop()
        await asyncio.sleep(0)
        answering = asyncio.create_task(there.answer())
        await asyncio.sleep(0.03)
        await there.server.start()
        assert await answering == "All right."


async def test_a_server_that_is_gone_is_told_at_once() -> None:
    async with asking(whole, first_s=8.0) as there:
        there.server.stop()
        began = time.monotonic()
        with pytest.raises(Unavailable, match="can't be reached"):
            await there.answer()
        assert time.monotonic() - began < ENOUGH_S


async def test_both_tries_share_the_limit_of_the_first_token() -> None:
    async def late_death(connection: Connection) -> None:
        await asyncio.sleep(0.5 * LIMIT_S)
        connection.reset()

    async def hang(connection: Connection) -> None:
        await asyncio.sleep(60)

    async with asking(late_death, hang) as there:
        began = time.monotonic()
        with pytest.raises(TooSlow):
            await there.answer()
        assert time.monotonic() - began < ENOUGH_S


@pytest.mark.parametrize(
    ("headers", "wanted_s"),
    [
        (["Retry-After: 7"], 7.0),
        (["retry-after: 0.5"], 0.5),
        (["Retry-After-Ms: 1500", "Retry-After: 7"], 1.5),
        (
            [
                f"Retry-After: {formatdate(1_700_000_007, usegmt=True)}",
                f"Date: {formatdate(1_700_000_000, usegmt=True)}",
            ],
            7.0,
        ),
        ([f"Retry-After: {formatdate(1_700_000_000, usegmt=True)}"], 0.0),
        (["Retry-After: soon"], 0.0),
        (["Retry-After: inf"], 0.0),
        (["Retry-After: nan"], 0.0),
        (["Retry-After: -3"], 0.0),
        ([], 0.0),
    ],
    ids=[
        "seconds",
        "a fraction",
        "milliseconds win",
        "a date",
        "a date gone by",
        "no number",
        "inf",
        "nan",
        "negative",
        "none",
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_when_to_ask_again_reaches_the_caller(headers: list[str], wanted_s: float, status: str) -> None:
    async def refuse(connection: Connection) -> None:
        await connection.headers(status, *headers)
        await connection.send('{"error": {"message": "busy on purpose"}}')
        connection.writer.write(b"0\r\n\r\n")

    async with asking(refuse, first_s=ENOUGH_S) as there:
        with pytest.raises(Unavailable) as caught:
            await there.answer()
        assert failed(caught.value).retry_after_s == wanted_s
        assert len(there.server.requests) == 1


async def test_a_date_counts_from_now_where_the_server_tells_no_time() -> None:
    async def refuse(connection: Connection) -> None:
        await connection.headers("503 Busy", f"Retry-After: {formatdate(time.time() + 30, usegmt=True)}")
        await connection.send("{}")
        connection.writer.write(b"0\r\n\r\n")

    async with asking(refuse, first_s=ENOUGH_S) as there:
        with pytest.raises(Unavailable) as caught:
            await there.answer()
        assert 20 < caught.value.retry_after_s <= 30


@pytest.mark.parametrize(("status", "kind"), [("408 T", Unavailable), ("425 E", Unavailable), ("404 N", Broken)])
async def test_what_another_try_may_change_is_told_so(status: str, kind: type[Upstream]) -> None:
    async def refuse(connection: Connection) -> None:
        await connection.headers(status)
        connection.writer.write(b"0\r\n\r\n")

    async with asking(refuse, first_s=ENOUGH_S) as there:
        with pytest.raises(kind) as caught:
            await there.answer()
        assert caught.value.retryable is (kind is Unavailable)
