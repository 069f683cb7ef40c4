"""Who owns the calls? The registry: it admits them, keeps them while their stream is gone, and drains them."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from voice_gateway.app.call_config import CallConfig
from voice_gateway.app.caller_usage import CallerUsage, HeldSession
from voice_gateway.core import turn_states
from voice_gateway.core.admission import Refusal, admit, elsewhere
from voice_gateway.core.events import Caller, CallOptions, EndReason, GoAway
from voice_gateway.edges.held_call import CallRequest, HeldCall, ServerInfo
from voice_gateway.edges.held_transcription import HeldTranscription, TranscriptionRequest
from voice_gateway.edges.limits import Limits
from voice_gateway.errors import NotFound, Refused
from voice_gateway.session.session import Session
from voice_gateway.session.transcription import TranscriptionStream
from voice_gateway.session.turn_log_file import NoTurnLog, TurnLog, TurnLogFolder

log = logging.getLogger(__name__)

_GOODBYE_S = 2.0
"""For the last words of calls that are closed."""
_COUNT_EVERY_S = 1.0


_TRANSCRIPTION_NEEDS = ("asr",)


class Registry:  # size: what edges ask of it, and what the program does with it: admission, live settings, drain
    """All calls of this process. Implements `edges.call_registry.CallRegistry`."""

    def __init__(
        self,
        config: CallConfig,
        tasks: asyncio.TaskGroup,
        down: Callable[[], list[str]],
        turn_logs: TurnLogFolder | None,
    ) -> None:
        self._id = secrets.token_hex(6)
        """Of this process; every resume token begins with it."""
        self._config = config
        self._draining = False
        self._tasks = tasks
        self._down = down
        self._turn_logs = turn_logs
        self._calls: dict[str, HeldSession] = {}
        """By resume token."""
        self._usage = CallerUsage(config.resources.clock)
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def server_info(self) -> ServerInfo:
        """What this gateway is."""
        return self._config.server_info

    @property
    def limits(self) -> Limits:
        """What a caller may send and ask for."""
        return self._config.limits

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that are known to be served."""
        return self._config.languages.tags

    @property
    def voices(self) -> tuple[str, ...]:
        """The voices that synthesis lists; none = not known."""
        return self._config.languages.voices

    def defaults(self, language: str) -> CallOptions:
        """What a caller of this language gets who asks for nothing else; "" = ASR_LANGUAGE. Raises Unsupported."""
        return self._config.languages.options(language)

    def transcription_defaults(self, language: str) -> CallOptions:
        """`defaults` for a caller who wants words only. Raises Unsupported."""
        return self._config.languages.options(language, speaks=False)

    @property
    def is_draining(self) -> bool:
        """Whether it takes no new calls any more."""
        return self._draining

    @property
    def active(self) -> int:
        """Calls held now."""
        return len(self._calls)

    def open(self, request: CallRequest, caller: Caller) -> HeldCall:
        """A new call. Raises Refused."""
        resources, name = self._config.resources, f"call-{secrets.token_hex(6)}"
        usage_limits = self._config.usage_limits
        with self._admitted(caller):
            session = Session(name, request.options, resources, self._turn_log(name, request.options), caller)
            call = HeldCall(
                session,
                request,
                self._new_token(),
                self.server_info,
                self.limits,
                lambda: self._usage.typed(caller, usage_limits),
            )
            self._keep(call)
        return call

    def transcribe(self, request: TranscriptionRequest, caller: Caller) -> HeldTranscription:
        """A new transcription stream, which takes the place of a call. Raises Refused."""
        resources, name = self._config.resources, f"stream-{secrets.token_hex(6)}"
        with self._admitted(caller, needs=_TRANSCRIPTION_NEEDS):
            session = TranscriptionStream(name, request.options, resources, caller)
            stream = HeldTranscription(session, request, self._new_token(), resources.max_session_s, self.limits)
            self._keep(stream)
        return stream

    def _new_token(self) -> str:
        return f"{self._id}.{secrets.token_urlsafe(24)}"

    def _keep(self, call: HeldSession) -> None:
        metrics = self._config.resources.metrics
        self._calls[call.token] = call
        self._empty.clear()
        metrics.started.inc()
        self._count()
        self._tasks.create_task(self._hold(call), name=call.session.name)

    def _count(self) -> None:
        metrics = self._config.resources.metrics
        metrics.calls.set(self.active)
        metrics.transcriptions.set(sum(isinstance(call, HeldTranscription) for call in self._calls.values()))

    def resume(self, token: str) -> HeldCall:
        """The call that waits under `token`. Raises NotFound, or Refused for a token of another gateway."""
        call = self._calls.get(token)
        if call is None and _is_foreign(token, self._id):
            raise Refused(elsewhere())
        if not isinstance(call, HeldCall):
            raise NotFound("no call waits for this resume token, or not any more; start a new session")
        self._config.resources.metrics.resumed.inc()
        return call

    def trouble(self) -> str:
        """Why no call can start now; empty = one can."""
        refusal = self.refusal()
        return refusal.sentence if refusal else ""

    def transcription_refusal(self) -> Refusal | None:
        """Why no transcription stream can start now; the language model and the voice do not matter."""
        return self.refusal(_TRANSCRIPTION_NEEDS)

    def renew(self, config: CallConfig) -> None:
        """These hold for new calls from now on; running ones keep theirs."""
        self._config = config

    def close(self) -> None:
        """Refuse new calls from now on."""
        self._draining = True
        self._config.resources.metrics.draining.set(1)

    async def drain(self, grace_s: float, at_once: asyncio.Event) -> None:
        """After `close`: let running calls end within `grace_s` or until `at_once`, then end them with a reason."""
        for call in self._calls.values():
            call.session.send(GoAway("DRAINING", grace_s))
        await self._emptied(grace_s, at_once)
        for call in self._calls.values():
            call.session.end(EndReason.DRAINED, "this gateway shuts down; connect again")
        await self._emptied(_GOODBYE_S, asyncio.Event())

    async def _emptied(self, limit_s: float, at_once: asyncio.Event) -> None:
        """Wait for the last call to end, no longer than `limit_s` and `at_once` allow."""
        waits = [asyncio.create_task(event.wait(), name="drain") for event in (self._empty, at_once)]
        try:
            await asyncio.wait(waits, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def bound_usage(self) -> None:
        """End calls whose callers have sent all the audio that they may, until cancelled."""
        while True:
            await asyncio.sleep(_COUNT_EVERY_S)
            self._usage.end_exceeded(tuple(self._calls.values()), self._config.usage_limits)

    @contextmanager
    def _admitted(self, caller: Caller, needs: Sequence[str] | None = None) -> Iterator[None]:
        """A call of this caller begins inside, and is counted; not where that fails. Raises Refused."""
        try:
            if refusal := self.refusal(needs):
                raise Refused(refusal)
            self._usage.begin(caller, self._config.usage_limits, self._calls.values())
        except Refused as error:
            self._config.resources.metrics.refused.labels(error.refusal.kind.value).inc()
            raise
        try:
            yield
        except BaseException:
            self._usage.give_back(caller)
            raise

    def refusal(self, needs: Sequence[str] | None = None) -> Refusal | None:
        """Why no call can start now; `needs` are the backends without which it can't, None = all."""
        return admit(
            active=self.active,
            limit=self._config.max_sessions,
            draining=self._draining,
            down=[name for name in self._down() if needs is None or name in needs],
        )

    async def _hold(self, call: HeldSession) -> None:
        session = call.session
        metrics = self._config.resources.metrics
        try:
            reason = await session.run()
            metrics.ended.labels(reason.value).inc()
        except Exception:  # of one call; the others know nothing of it
            log.exception("call %s failed; the other calls go on", session.name)
        finally:
            del self._calls[call.token]
            self._usage.end(call, self._config.usage_limits)
            self._count()
            if not self._calls:
                self._empty.set()

    def _turn_log(self, name: str, options: CallOptions) -> TurnLog:
        if self._turn_logs is None:
            return NoTurnLog()
        return self._turn_logs.open(
            name, options.policy, turn_states.Idle(turn_states.Call(language=options.language), 0.0)
        )


def _is_foreign(token: str, own_id: str) -> bool:
    """Whether another gateway may have given this token out."""
    gateway_id, dot, secret = token.partition(".")
    return bool(dot and gateway_id and secret) and gateway_id != own_id
