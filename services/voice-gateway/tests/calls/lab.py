"""A gateway in this process, its backends played by the test, and the checks that every call must pass at its end."""

import asyncio
import gc
import re
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol
from weakref import WeakSet

import aiohttp
import grpc
from fake_llm import FakeLlm
from fake_riva import FakeRiva
from raw_caller import Caller
from serving.signals import Stop
from voice_gateway.app.main import serve
from voice_gateway.app.servers import Ports
from voice_gateway.config import Settings
from voice_gateway.edges.held_call import HeldCall
from voice_gateway.edges.held_transcription import HeldTranscription
from voice_gateway.session.session import Session
from voice_gateway.session.transcription import TranscriptionStream
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S, Changes

_QUICK: dict[str, Any] = {
    "gateway_host": "127.0.0.1",
    "gateway_port": 0,
    "gateway_http_port": 0,
    "gateway_web_port": 0,
    "gateway_drain_s": 0.2,
    "gateway_probe_every_s": 60,
    "turn_end_silence_s": 0.05,
    "vad": "none",
}


_LOOK_EVERY_S = 0.02


class Closable(Protocol):
    """A client that can be gone."""

    async def close(self) -> None: ...


class Lab:
    """What one test works with."""

    def __init__(self) -> None:
        self.asr = FakeRiva()
        self.tts = FakeRiva()
        self.llm = FakeLlm()
        self.stop = Stop()
        self.grpc_port = 0
        self.http_port = 0
        self.web_port = 0
        self.callers: list[Caller] = []
        self.clients: list[Closable] = []
        """Of other wires."""
        self.serving: asyncio.Task[None] | None = None
        self._before: set[asyncio.Task[Any]] = set()
        self._old_calls: WeakSet[Any] = WeakSet()
        """What a failed test's traceback still holds."""
        self._changes = Changes()

    def caller(self, *, port: int = 0, **how: Any) -> Caller:
        """A new stream to the gateway, or to another port that leads to it."""
        own_port = self.grpc_port if how.get("wire", "grpc") == "grpc" else self.web_port
        caller = Caller(port or own_port, **how)
        self.callers.append(caller)
        return caller

    async def call(
        self, *, numbered: bool = False, tls: grpc.ChannelCredentials | None = None, wire: str = "grpc", **start: Any
    ) -> Caller:
        """A call that has begun."""
        caller = self.caller(numbered=numbered, tls=tls, wire=wire)
        await caller.start(**start)
        return caller

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the HTTP port."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{self.http_port}{path}") as answer,
        ):
            return answer.status, await answer.text()

    async def metric(self, name: str) -> float:
        """The value of a metric; 0 when it was never set."""
        _, page = await self.get("/metrics")
        found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def status(self, path: str) -> int:
        """Status of a page of the HTTP port."""
        return (await self.get(path))[0]

    async def eventually(self, ask: Callable[[], Awaitable[float]], wanted: float) -> None:
        """Ask over HTTP, which wakes nobody, until the answer is the wanted one."""
        async with asyncio.timeout(LIMIT_S):
            while await ask() != wanted:
                pass

    async def heard(self, words: str) -> None:
        """Return when the turn machine of some call has these words."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                calls = [call for call in _calls_in_memory() if isinstance(call, Session)]
                if any(words in str(call.snapshot().state) for call in calls):
                    return
                await asyncio.sleep(0)

    async def settled(self) -> None:
        """Every caller is gone: so must be every call, here and at the backends, and every task."""
        for caller in (*self.callers, *self.clients):
            await caller.close()
        self.callers.clear()
        self.clients.clear()
        await self.asr.quiet()
        await self.tts.quiet()
        await self.llm.quiet()
        await self._no_new_tasks()
        assert await self.metric("voice_sessions_active") == 0
        await self._no_calls_in_memory()

    async def _no_calls_in_memory(self) -> None:
        """Nothing refers to a call that is over; gRPC does for a moment, where it can't tell a peer its status."""
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while _calls_in_memory() - set(self._old_calls):
            assert asyncio.get_running_loop().time() < deadline, "a call that is over is still referred to"
            await asyncio.sleep(_LOOK_EVERY_S)

    async def next_call_works(self) -> None:
        """Whatever happened before."""
        said = len(self.llm.asked)
        caller = await self.call()
        await caller.type("Is all well?")
        await caller.turn(pb.TurnEvent.REPLY_ENDED)
        assert caller.audio(1)
        assert not caller.of("error")
        assert self.llm.asked[said].chat == [("user", "Is all well?")]
        await caller.hang_up()
        assert await caller.over() == pb.SessionEnded.CALLER_ENDED

    async def works_in_the_end(self) -> None:
        """For callers who do as they are told: "try again"."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    return await self.next_call_works()
                except AssertionError as refused:
                    if "UNAVAILABLE" not in str(refused):
                        raise

    async def begin(self, settings: Settings) -> None:
        """Start the gateway."""
        self.serving = asyncio.create_task(serve(settings, self.stop, self._bound, _LOOK_EVERY_S), name="gateway")
        self.serving.add_done_callback(lambda _: self._changes.tell())
        await self._changes.until(lambda: self.grpc_port or self.serving_ended, "the gateway's ports")
        self._before = asyncio.all_tasks()
        self._old_calls = WeakSet(_calls_in_memory())

    async def end(self) -> None:
        """Stop the gateway; raises what it raised."""
        self.stop.ask()
        if self.serving:
            await asyncio.wait_for(self.serving, LIMIT_S)

    @property
    def serving_ended(self) -> bool:
        """Whether the gateway is over."""
        return self.serving is not None and self.serving.done()

    def _bound(self, ports: Ports) -> None:
        self.grpc_port, self.http_port, self.web_port = ports
        self._changes.tell()

    async def _no_new_tasks(self) -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while new := [task for task in asyncio.all_tasks() - self._before if not _is_infrastructure(task)]:
            left_s = deadline - asyncio.get_running_loop().time()
            assert left_s > 0, f"tasks are left: {new}"
            await asyncio.wait(new, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)


_CALLS = (Session, HeldCall, TranscriptionStream, HeldTranscription)


def _calls_in_memory() -> set[Any]:
    gc.collect()
    return {thing for thing in gc.get_objects() if type(thing) in _CALLS}


_WAITING_FOR_THE_NEXT = (
    "RequestHandler.start",
    "AioServer._request_call",
    "AioServer._request_registered_call",
    "AioServer._server_main_loop",
    "Switch._serve",
    "Switch._pump",
    "Server.serve",
    "LifespanOn.main",
    "TaskHandle._run_coro",
)


def _is_infrastructure(task: asyncio.Task[Any]) -> bool:
    """This test; a kept-alive HTTP connection, also through a switch; gRPC waiting for the next call; an MCP server,
    and the gateway's session with one."""
    name = getattr(task.get_coro(), "__qualname__", "")
    return task is asyncio.current_task() or name in _WAITING_FOR_THE_NEXT


@asynccontextmanager
async def lab(
    *,
    then_works: bool = True,
    down: Sequence[str] = (),
    riva_credentials: grpc.ServerCredentials | None = None,
    llm_tls: ssl.SSLContext | None = None,
    asr_has: Sequence[str] = (),
    tts_has: Sequence[str] = (),
    **settings: Any,
) -> AsyncGenerator[Lab, None]:
    """A running gateway with `settings` (names as in Settings) and backends, but for those `down`; recognition and
    synthesis list their languages where they are told which they have. On leaving,
    nothing of any call may be left, and unless `then_works` is False, another call must go well."""
    there = Lab()
    there.asr.credentials = there.tts.credentials = riva_credentials
    there.llm.tls = llm_tls
    there.asr.languages, there.tts.languages = asr_has, tts_has
    async with AsyncExitStack() as stack:
        for backend in (there.asr, there.tts, there.llm):
            await backend.start()
            stack.push_async_callback(backend.stop)
        stack.push_async_callback(there.end)
        chosen: dict[str, Any] = {
            "riva_asr_uri": f"127.0.0.1:{there.asr.port}",
            "riva_tts_uri": f"127.0.0.1:{there.tts.port}",
            "llm_base_url": f"{'https' if llm_tls else 'http'}://127.0.0.1:{there.llm.port}/v1",
        }
        for name in down:
            await getattr(there, name).stop()
        await there.begin(Settings(**(_QUICK | chosen | settings)))
        stack.push_async_callback(_hang_up_all, there)
        yield there
        if not there.serving_ended:
            await there.settled()
            if then_works:
                there.tts.behave()
                await there.next_call_works()
                await there.settled()


async def _hang_up_all(there: Lab) -> None:
    """Also when the test failed."""
    for caller in (*there.callers, *there.clients):
        await caller.close()
