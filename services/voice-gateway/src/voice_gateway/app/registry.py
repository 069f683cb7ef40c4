"""Who owns the calls? The registry: it admits them, keeps them while their stream is gone, and drains them."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from voice_gateway.core import floor
from voice_gateway.core.admission import admit
from voice_gateway.core.events import CallOptions, EndReason, LeaveSoon
from voice_gateway.edges.door import About, Limits
from voice_gateway.errors import NotFound, Refused
from voice_gateway.session.journal_file import FileJournal, Journal, NoJournal
from voice_gateway.session.session import Equipment, Session

log = logging.getLogger(__name__)


class Registry:
    """All calls of this process. Implements the edges' door."""

    def __init__(
        self,
        about: About,
        defaults: CallOptions,
        equipment: Equipment,
        tasks: asyncio.TaskGroup,
        down: Callable[[], list[str]],
        limit: int,
        journal_dir: Path | None,
    ) -> None:
        self.about = about
        self.defaults = defaults
        self.limits = Limits()
        self.draining = False
        self._equipment = equipment
        self._tasks = tasks
        self._down = down
        self._limit = limit
        self._journal_dir = journal_dir
        if journal_dir:
            journal_dir.mkdir(parents=True, exist_ok=True)
        self._calls: dict[str, Session] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def active(self) -> int:
        """Calls held now."""
        return len(self._calls)

    def open(self, options: CallOptions) -> tuple[Session, str]:
        """A new call and its resume token. Raises Refused."""
        refusal = admit(active=self.active, limit=self._limit, draining=self.draining, down=self._down())
        metrics = self._equipment.metrics
        if refusal:
            metrics.refused.labels(refusal.kind.value).inc()
            raise Refused(refusal)
        name, token = f"call-{secrets.token_hex(6)}", secrets.token_urlsafe(24)
        session = Session(name, options, self._equipment, self._journal(name, options))
        self._calls[token] = session
        self._empty.clear()
        metrics.started.inc()
        metrics.calls.set(self.active)
        self._tasks.create_task(self._hold(token, session), name=name)
        return session, token

    def resume(self, token: str) -> Session:
        """The call that waits under `token`. Raises NotFound."""
        session = self._calls.get(token)
        if session is None:
            raise NotFound("no call waits under this token (any more); start a new session")
        self._equipment.metrics.resumed.inc()
        return session

    def trouble(self) -> str:
        """Why no call can start now; empty = one can."""
        refusal = admit(active=self.active, limit=self._limit, draining=self.draining, down=self._down())
        return refusal.sentence if refusal else ""

    async def drain(self, grace_s: float) -> None:
        """Refuse new calls, let running ones end within `grace_s`, then close them with a reason."""
        self.draining = True
        for session in self._calls.values():
            session.tell(LeaveSoon("DRAINING", grace_s))
        for last in (False, True):
            try:
                async with asyncio.timeout(grace_s if not last else 2.0):
                    await self._empty.wait()
                return
            except TimeoutError:
                for session in self._calls.values():
                    session.end(EndReason.DRAINED, "this gateway shuts down; connect again")

    async def _hold(self, token: str, session: Session) -> None:
        metrics = self._equipment.metrics
        try:
            reason = await session.run()
            metrics.ended.labels(reason.value).inc()
            log.info("%s ended: %s", session.name, reason.value)
        finally:
            del self._calls[token]
            metrics.calls.set(self.active)
            if not self._calls:
                self._empty.set()

    def _journal(self, name: str, options: CallOptions) -> Journal:
        if self._journal_dir is None:
            return NoJournal()
        start = floor.Idle(floor.Call(language=options.language), 0.0)
        return FileJournal(self._journal_dir / f"{name}.jsonl", options.policy, start)
