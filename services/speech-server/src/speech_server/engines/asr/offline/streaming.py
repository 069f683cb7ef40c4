"""How does an offline model stream? It hears the growing utterance again and again, and what stays the same is shown.

    accept ──▶ buffer ──▶ a pass when the last is done and enough is new ──▶ agreement ──▶ what is shown
    paused ──▶ a pass ahead over all speech ──▶ resumed: thrown away; finish: it is the final already

A pass is never waited for, except when the buffer is at its bound: then the caller is behind, and is held back.

A buffer that is too long loses its beginning, whose words are committed. A model that knows when its words were said
has agreed on them, and the audio is cut between two of them. For one that does not, the audio is cut where it is
quietest, and the beginning is heard once more by itself: what that pass says is committed.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from speech_server.core.asr import local_agreement
from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis, Word
from speech_server.core.asr.batching import Kind
from speech_server.core.asr.boosting import Boosting
from speech_server.core.asr.local_agreement import Agreement, Cut
from speech_server.core.asr.subwords import joined, shifted
from speech_server.engines.asr.offline.batch_queue import BatchQueue
from speech_server.engines.onnx.transducer import Floats
from speech_server.errors import EngineBusy
from speech_server.recognition.sectioning import as_floats, quietest_s

DUTY = 2.0
"""A stream lets this many times its last pass's time go by in audio: long buffers, slow machines and many callers make
passes rarer, and nobody falls behind."""
SHORTEST_S = 0.3
"""Of less audio no pass is made before the utterance ends."""


@dataclass(frozen=True, slots=True)
class Streaming:
    """The operator's rules."""

    step_s: float = 0.3
    """New audio before another pass, at least."""
    longest_s: float = 10.0
    """Above this much audio in the buffer, agreed words are committed; twice as much is its bound."""
    final_wait_s: float = 30.0
    """A final that could not begin within this time fails."""


@dataclass
class _Open:  # size: everything that is known of one utterance
    """One utterance. The buffer begins `base_s` after it."""

    audio: bytearray = field(default_factory=bytearray)
    base_s: float = 0.0
    committed: list[Word] = field(default_factory=list)
    agreement: Agreement = field(default_factory=Agreement)
    running: "asyncio.Future[Hypothesis] | None" = None
    """The pass that is under way."""
    head_s: float = 0.0
    """That pass hears only so much of the buffer, to commit it; 0: it hears all."""
    is_waited_for: bool = False
    """It was made because the buffer is full: its failure is the stream's."""
    ahead: "asyncio.Future[Hypothesis] | None" = None
    """The final pass, begun in a pause."""
    passed_s: float = 0.0
    """So much of the buffer had the last pass."""
    pass_began: float = 0.0
    pass_took_s: float = 0.0

    @property
    def buffer_s(self) -> float:
        return len(self.audio) / 2 / ASR_RATE_HZ


class OfflineUtterances:  # size: one state machine, drawn above
    """One stream's utterances; also a `SpeculativeUtterances`."""

    def __init__(
        self,
        batcher: BatchQueue,
        rules: Streaming,
        session: int,
        audible: Callable[[Floats], bool],
        boosting: Boosting | None = None,
        *,
        knows_times: bool = True,
    ) -> None:
        """`audible`: is there anything worth recognising? `knows_times`: does the model say when words were said?"""
        self._batcher = batcher
        self._rules = rules
        self._session = session
        self._audible = audible
        self._boosting = boosting
        self._knows_times = knows_times
        self._open = _Open()

    async def accept(self, pcm16: bytes) -> Hypothesis:
        """Take more audio, start a pass if one is due, and say what is believed. Raises EngineUnavailable."""
        self._open.audio += pcm16
        self._collect()
        while self._open.buffer_s > 2 * self._rules.longest_s:
            if self._open.running is None and not self._start_head_pass():
                self._start_pass(Kind.FINAL, self._rules.final_wait_s)
            assert self._open.running is not None
            await asyncio.wait({self._open.running})
            self._collect()
        if self._open.running is None and self._open.ahead is None and self._is_due():
            self._start_pass(Kind.PARTIAL, self._rules.step_s)
        return self._shown()

    def paused(self) -> None:
        """Begin the final pass, over all that was said."""
        self._drop_pass()
        if self._open.buffer_s >= SHORTEST_S and self._open.ahead is None:
            self._open.ahead = self._submit(Kind.FINAL, self._rules.final_wait_s)

    def resumed(self) -> None:
        """The final pass was in vain, but it was a pass."""
        ahead, self._open.ahead = self._open.ahead, None
        if ahead is not None and ahead.done() and not _failed(ahead):
            self._learn(ahead.result())
        elif ahead is not None:
            ahead.cancel()

    async def expected(self) -> Hypothesis:
        """The final as it would be now."""
        if self._open.ahead is None:
            self.paused()
        said = await self._open.ahead if self._open.ahead is not None else Hypothesis("")
        return self._whole(said)

    async def finish(self) -> Hypothesis:
        """The final: of the pass ahead if nothing was said since, else of a last pass."""
        self._drop_pass()
        try:
            if self._open.ahead is None or _failed(self._open.ahead):
                self._open.ahead = self._submit(Kind.FINAL, self._rules.final_wait_s)
            return self._whole(await self._open.ahead)
        finally:
            self._end_passes()
            self._open = _Open()

    async def close(self) -> None:
        """Nobody wants the passes any more."""
        self._end_passes()
        self._open = _Open()

    def _is_due(self) -> bool:
        new_s = self._open.buffer_s - self._open.passed_s
        needed_s = max(self._rules.step_s, DUTY * self._open.pass_took_s)
        return self._open.buffer_s >= SHORTEST_S and new_s >= needed_s - 1e-6

    def _start_pass(self, kind: Kind, wait_s: float) -> None:
        self._open.passed_s = self._open.buffer_s
        self._open.pass_began = time.monotonic()
        try:
            self._open.running = self._submit(kind, wait_s)
            self._open.is_waited_for = kind is Kind.FINAL
        except EngineBusy:
            if kind is not Kind.PARTIAL:
                raise

    def _collect(self) -> None:
        made = self._open.running
        if made is None or not made.done():
            return
        self._open.running = None
        head_s, self._open.head_s = self._open.head_s, 0.0
        if made.cancelled() or (_failed(made) and not self._open.is_waited_for):
            # A partial that was shed or failed: the next pass, or the final, does without it.
            return
        self._open.pass_took_s = time.monotonic() - self._open.pass_began
        if head_s:
            self._commit(Cut(made.result().words, head_s))
        else:
            self._learn(made.result())

    def _learn(self, said: Hypothesis) -> None:
        self._open.agreement = local_agreement.heard(self._open.agreement, said.words)
        if not self._knows_times:
            self._start_head_pass()
        elif made := local_agreement.cut(self._open.agreement, self._open.buffer_s, self._rules.longest_s):
            self._commit(made)

    def _start_head_pass(self) -> bool:
        """Hear the beginning of a buffer that is too long by itself, up to its quietest place, to commit it."""
        if self._knows_times or self._open.running is not None or self._open.buffer_s <= self._rules.longest_s:
            return False
        clip = as_floats(bytes(self._open.audio))
        head_s = quietest_s(clip, self._rules.longest_s / 2, self._open.buffer_s - local_agreement.LEAST_KEPT_S)
        self._open.pass_began = time.monotonic()
        self._open.running = self._submit(Kind.FINAL, self._rules.final_wait_s, head_s)
        self._open.head_s = head_s
        self._open.is_waited_for = self._open.buffer_s > 2 * self._rules.longest_s
        return True

    def _commit(self, made: Cut) -> None:
        if self._open.ahead is not None:
            # It heard what is committed now.
            self._open.ahead.cancel()
            self._open.ahead = None
        self._open.committed += shifted(made.words, self._open.base_s)
        self._open.agreement = local_agreement.committed(self._open.agreement, made)
        del self._open.audio[: 2 * int(made.at_s * ASR_RATE_HZ)]
        self._open.base_s += int(made.at_s * ASR_RATE_HZ) / ASR_RATE_HZ
        self._open.passed_s = max(0.0, self._open.passed_s - made.at_s)

    def _shown(self) -> Hypothesis:
        ahead = self._open.ahead
        if ahead is not None and ahead.done() and not _failed(ahead):
            return self._whole(ahead.result())
        words = (*self._open.committed, *shifted(self._open.agreement.shown, self._open.base_s))
        stable = local_agreement.stability(len(self._open.committed), self._open.agreement)
        return Hypothesis(" ".join(word.text for word in words), words, 0.0, stable)

    def _whole(self, said: Hypothesis) -> Hypothesis:
        return joined((*self._open.committed, *shifted(said.words, self._open.base_s)))

    def _submit(self, kind: Kind, wait_s: float, until_s: float | None = None) -> "asyncio.Future[Hypothesis]":
        clip = as_floats(bytes(self._open.audio))
        if until_s is not None:
            clip = clip[: int(until_s * ASR_RATE_HZ)]
        if not self._audible(clip):
            nothing: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()
            nothing.set_result(Hypothesis(""))
            return nothing
        return self._batcher.submit(self._session, kind, clip, wait_s, self._boosting)

    def _drop_pass(self) -> None:
        if self._open.running is not None:
            self._open.running.cancel()
            self._open.running, self._open.head_s = None, 0.0

    def _end_passes(self) -> None:
        self._drop_pass()
        if self._open.ahead is not None:
            self._open.ahead.cancel()


def _failed(made: "asyncio.Future[Hypothesis]") -> bool:
    return made.done() and (made.cancelled() or made.exception() is not None)
