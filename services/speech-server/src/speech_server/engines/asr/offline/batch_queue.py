"""How do the clips of all callers share one model? The planner decides, this waits, runs and answers.

    submit ──▶ waiting (bounded) ──▶ plan ──▶ one batch at a time on one thread ──▶ futures

Nothing waits for ever: a clip has a deadline while it waits, and a batch a hard limit while it runs.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from speech_server.core.asr.asr_types import ASR_RATE_HZ, Hypothesis
from speech_server.core.asr.batching import Job, Kind, Rules, plan
from speech_server.core.asr.boosting import Boosting
from speech_server.engines.onnx.batch_runner import BatchRunner, fail_all
from speech_server.engines.onnx.serial_executor import TookTooLong
from speech_server.engines.onnx.session import Stop
from speech_server.engines.onnx.transducer import Floats
from speech_server.errors import EngineBusy, EngineUnavailable

Work = Callable[[Sequence[Floats], Stop, Sequence[Boosting | None]], list[Hypothesis]]
"""The model: clips and what each one's caller wants favoured in, what each says out; blocking."""

SLOW_CPU = 10.0
"""Seconds of audio that a slow CPU hears in a second: believed of one that has to do a GPU's work, until measured."""
LONGEST_ON_CPU_S = 0.5
"""A CPU gains little from batches above this time, and all their clips are as late as the last."""
SAY_EVERY_S = 10.0
"""Shedding is logged at most so often."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What the operator allows."""

    waiting: int = 128
    """Whole recordings and partials that may wait. Finals always may: there is at most one a stream."""
    segment_s: float = 5.0
    """Longest time one batch may run."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    job: Job
    clip: Floats
    boosting: Boosting | None
    answer: "asyncio.Future[Hypothesis]"


class BatchQueue:  # size: one queue; who waits, who runs and who is given up are one decision
    """One model's queue. `start`, `submit` from any number of streams, `stop`."""

    def __init__(
        self,
        work: Work,
        rules: Rules,
        limits: BatchLimits,
        when_stuck: Callable[[], None] | None = None,
        has_left_gpu: Callable[[], bool] = lambda: False,
    ) -> None:
        """`when_stuck` runs on a fresh thread after a batch hung beyond all limits.

        Once `has_left_gpu`, the rules and the speed are a CPU's.
        """
        self._work = work
        self._rules = rules
        self._limits = limits
        self._when_stuck = when_stuck
        self._has_left_gpu = has_left_gpu
        self._was_on_gpu = rules.mixes_kinds
        self._waiting: dict[int, _Waiting] = {}
        self._numbers = itertools.count(1)
        self._arrived = asyncio.Event()
        self._runner = BatchRunner("recogniser", limits.segment_s)
        self.stats = self._runner.stats
        """What was done since the start."""
        self._audio_by_second: float | None = None
        self._said_at = -SAY_EVERY_S
        self._said_shed = 0
        self._partials_run: Stop | None = None

    def start(self, audio_by_second: float | None = None) -> None:
        """`audio_by_second`: how much the model hears in a second, as measured, bounds the first batches."""
        self._audio_by_second = audio_by_second
        self._runner.start(self._step, self._waiting.values)

    @property
    def waiting(self) -> int:
        """Clips in line now."""
        return len(self._waiting)

    async def stop(self) -> None:
        """What waits or runs gets EngineUnavailable."""
        await self._runner.stop()
        self._waiting.clear()

    def submit(
        self, session: int, kind: Kind, clip: Floats, wait_s: float, boosting: Boosting | None = None
    ) -> "asyncio.Future[Hypothesis]":
        """What the clip (16 kHz, -1..1) says. Cancel the future when nobody wants it any more.

        It is cancelled from here when it is a partial whose time has passed; other kinds get EngineBusy after
        `wait_s`, EngineUnavailable when recognising took too long or failed. Raises EngineBusy when the queue is full.
        """
        if not self._runner.is_running:
            raise EngineUnavailable("The recogniser is not running.")
        self._make_room(kind)
        now = time.monotonic()
        job = Job(next(self._numbers), session, kind, len(clip) / ASR_RATE_HZ, now, now + wait_s)
        answer: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()
        self._waiting[job.number] = _Waiting(job, clip, boosting, answer)
        if kind is Kind.FINAL and self._partials_run is not None and not self._rules.mixes_kinds:
            # On a CPU a final would wait for a whole pass that nobody will look at.
            self._partials_run.now()
        self._arrived.set()
        return answer

    def _make_room(self, kind: Kind) -> None:
        if len(self._waiting) < self._limits.waiting:
            return
        partial = next((one for one in self._waiting.values() if one.job.kind is Kind.PARTIAL), None)
        if kind is not Kind.PARTIAL and partial is not None:
            self._give_up([partial.job])
        elif kind is not Kind.FINAL:
            self.stats.refused += 1
            raise EngineBusy(f"{len(self._waiting)} recordings wait for the recogniser already; try again later.")

    async def _step(self) -> None:
        self._arrived.clear()
        self._forget_cancelled()
        decided = plan([one.job for one in self._waiting.values()], time.monotonic(), self._now_allowed())
        self._give_up(decided.late)
        if decided.run:
            await self._recognise([self._waiting.pop(job.number) for job in decided.run])
        else:
            await self._until(decided.wake)

    async def _until(self, wake: float | None) -> None:
        try:
            async with asyncio.timeout(None if wake is None else wake - time.monotonic()):
                await self._arrived.wait()
        except TimeoutError:
            return

    async def _recognise(self, batch: Sequence[_Waiting]) -> None:
        stop, clips, boostings = Stop(), [one.clip for one in batch], [one.boosting for one in batch]
        lengths_s = [one.job.audio_s for one in batch]
        self._partials_run = stop if all(one.job.kind is Kind.PARTIAL for one in batch) else None
        try:
            took_s = await self._runner.run(
                batch, lambda: self._work(clips, stop, boostings), stop, sum(lengths_s), self._when_stuck
            )
        except TookTooLong:
            # Half the speed that was believed: the next batch is smaller.
            if self._audio_by_second is not None:
                self._audio_by_second /= 2
        except EngineUnavailable as error:
            if self._partials_run is not None and stop.is_asked:
                self._shed(batch)
            else:
                fail_all(batch, error)
        else:
            self._learn_speed(len(batch) * max(lengths_s) / max(took_s, 1e-6))
        finally:
            self._partials_run = None
            self._notice_move()

    def _notice_move(self) -> None:
        if self._was_on_gpu and self._has_left_gpu():
            # Batches of the GPU's size would be broken off one after another until its speed is forgotten.
            self._was_on_gpu = False
            self._rules = replace(self._rules, mixes_kinds=False)
            self._audio_by_second = SLOW_CPU

    def _shed(self, batch: Sequence[_Waiting]) -> None:
        self.stats.shed += len(batch)
        for one in batch:
            one.answer.cancel()

    def _now_allowed(self) -> Rules:
        if self._audio_by_second is None:
            return self._rules
        longest_s = self._limits.segment_s / 2
        if not self._rules.mixes_kinds:
            longest_s = min(longest_s, LONGEST_ON_CPU_S)
        padded_s = self._audio_by_second * longest_s
        return replace(self._rules, most_padded_s=min(self._rules.most_padded_s, padded_s))

    def _forget_cancelled(self) -> None:
        for number in [number for number, one in self._waiting.items() if one.answer.done()]:
            del self._waiting[number]

    def _give_up(self, late: Sequence[Job]) -> None:
        for job in late:
            one = self._waiting.pop(job.number)
            if job.kind is Kind.PARTIAL:
                self.stats.shed += 1
                one.answer.cancel()
            else:
                self.stats.refused += 1
                waited_s = job.deadline - job.arrived
                sentence = f"Waited {waited_s:g} s for the recogniser, which is overloaded; try again later."
                fail_all([one], EngineBusy(sentence))
        if self.stats.shed > self._said_shed and time.monotonic() - self._said_at >= SAY_EVERY_S:
            _log.warning("overloaded: %d partials left out, finals go on", self.stats.shed - self._said_shed)
            self._said_shed, self._said_at = self.stats.shed, time.monotonic()

    def _learn_speed(self, speed: float) -> None:
        self._audio_by_second = speed if self._audio_by_second is None else 0.8 * self._audio_by_second + 0.2 * speed
