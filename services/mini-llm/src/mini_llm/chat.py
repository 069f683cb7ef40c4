"""How is one chat request answered? POST /v1/chat/completions over aiohttp."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from aiohttp import web

from mini_llm.interfaces import Timeline
from mini_llm.metrics import Metrics
from mini_llm.pacing import pace_tokens
from mini_llm.request import RequestRefused, parse_request
from mini_llm.response_plan import ResponsePlan, plan_response
from mini_llm.responses import DONE, ChunkWriter, completion, error_event
from mini_llm.settings import Fault, Settings
from mini_llm.timeline import NoTimeline

LONGEST_SILENCE_S = 600.0
"""A fault that goes silent breaks the connection after this time, so that a forgotten client leaks nothing."""

_SSE_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
_FAILED = "The model failed in the middle of the answer."


@dataclass(slots=True)
class _EndReason:
    reason: str = "abort"


@dataclass(slots=True)
class Chat:
    """The chat endpoint of one server: what its requests have in common."""

    settings: Settings
    metrics: Metrics = field(default_factory=Metrics)
    timeline: Timeline = field(default_factory=NoTimeline)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def complete(self, http: web.Request) -> web.StreamResponse:
        """Answer, plainly or as a stream. Raises RequestRefused. A client that leaves cancels this."""
        arrived_at, stamp = asyncio.get_running_loop().time(), time.monotonic()
        request = parse_request(await http.read())
        if self.settings.strict_model and request.model not in (None, self.settings.model):
            raise RequestRefused(f"The model `{request.model}` does not exist.", "model", status=404)
        answer = plan_response(request, self.settings, http.headers, next(self._numbers), datetime.now().astimezone())
        last = request.conversation.last_user_text
        self.timeline.record("llm.request", at=stamp, request=answer.number, last=last)
        with self._running(answer) as ending:
            _refuse_by_fault(answer.fault)
            send = self._stream if request.stream else self._plain
            return await send(http, answer, arrived_at, ending)

    @contextmanager
    def _running(self, answer: ResponsePlan) -> Iterator[_EndReason]:
        ending = _EndReason()
        self.metrics.prompt_tokens.inc(answer.usage.prompt_tokens)
        self.metrics.running.inc()
        try:
            yield ending
        except RequestRefused:
            ending.reason = "error"
            raise
        finally:
            self.metrics.running.dec()
            self.metrics.ended.labels(ending.reason).inc()
            self.timeline.record("llm.ended", flush=True, request=answer.number, reason=ending.reason)

    async def _plain(
        self, http: web.Request, answer: ResponsePlan, arrived_at: float, ending: _EndReason
    ) -> web.StreamResponse:
        async for n, _ in pace_tokens(answer.pieces, arrived_at, answer.pace):
            self._count_token(n, arrived_at)
        if answer.fault is Fault.ERROR_MIDWAY:
            raise RequestRefused(_FAILED, status=500)
        if await _breaks(http, answer.fault):
            ending.reason = "error"
            return web.Response()
        ending.reason = answer.finish_reason
        text = "".join(answer.pieces)
        return web.json_response(
            completion(
                answer.id, answer.model, answer.created, text, answer.finish_reason, answer.usage, answer.function
            )
        )

    async def _stream(
        self, http: web.Request, answer: ResponsePlan, arrived_at: float, ending: _EndReason
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=_SSE_HEADERS)
        try:
            await response.prepare(http)
            async with aclosing(self._chunks(answer, arrived_at)) as chunks:
                async for chunk in chunks:
                    await response.write(chunk)
            broken = await _breaks(http, answer.fault)
            ending.reason = answer.finish_reason if answer.fault in (Fault.NONE, Fault.SLOW) else "error"
            if not broken:
                await response.write(DONE)
        except ConnectionError:
            # The client left between two writes; nobody reads what we return.
            ending.reason = "abort"
        return response

    async def _chunks(self, answer: ResponsePlan, arrived_at: float) -> AsyncGenerator[bytes, None]:
        """What is written, each piece when it is due, up to where the fault strikes."""
        chunks = ChunkWriter(answer.id, answer.model, answer.created)
        text = ""
        async with aclosing(pace_tokens(answer.pieces, arrived_at, answer.pace)) as pieces:
            async for n, piece in pieces:
                if n == 1:
                    yield chunks.role()
                    if answer.function:
                        yield chunks.call(answer.function)
                yield chunks.arguments(piece) if answer.function else chunks.token(piece)
                text += piece
                self._count_token(n, arrived_at)
                self.timeline.record("llm.token", request=answer.number, n=n, text=text)
        if answer.fault is Fault.ERROR_MIDWAY:
            yield error_event(_FAILED, 500)
        elif answer.fault in (Fault.NONE, Fault.SLOW):
            if not answer.pieces:
                yield chunks.role()
            yield chunks.finish(answer.finish_reason)
            if answer.wants_usage:
                yield chunks.usage(answer.usage)

    def _count_token(self, n: int, arrived_at: float) -> None:
        self.metrics.generation_tokens.inc()
        if n == 1:
            waited_s = asyncio.get_running_loop().time() - arrived_at
            self.metrics.time_to_first_token_s.observe(waited_s)


def _refuse_by_fault(fault: Fault) -> None:
    if fault is Fault.UNAVAILABLE:
        raise RequestRefused("The model is not available. Try again later.", status=503)
    if fault is Fault.RATE_LIMITED:
        raise RequestRefused("Too many requests. Try again in a second.", status=429)


async def _breaks(http: web.Request, fault: Fault) -> bool:
    """Does the fault break the connection here? Silence comes first where the fault is silent."""
    if fault in (Fault.SILENT, Fault.STALL_MIDWAY):
        await asyncio.sleep(LONGEST_SILENCE_S)
    elif fault is not Fault.CLOSE_MIDWAY:
        return False
    if http.transport is not None:
        http.transport.close()
    return True
