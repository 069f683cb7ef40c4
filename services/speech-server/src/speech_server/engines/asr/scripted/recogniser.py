"""What does the scripted recogniser hear? Its script, word by word with the audio, whatever was said.

Faults: `unavailable` refuses streams; `stall` and `die_mid_utterance` strike in an utterance of a running stream.
Each spares the first `fault_after` (streams of the process, or utterances of the stream) and strikes `fault_times`
times (0: always).
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pcm import duration_s

from speech_server.core.asr.asr_types import ASR_RATE_HZ, AsrModel, Hints, Hypothesis, Word
from speech_server.engines.pacing import sleep_until
from speech_server.errors import EngineUnavailable
from speech_server.timeline import Timeline

DIE_AFTER_S = 0.3
"""So much of an utterance is heard before it dies."""
CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Script:
    """What is heard, when, and what goes wrong."""

    transcript: str = "caller {stream} turn {utterance}"
    lines: tuple[str, ...] = ()
    """Instead of the transcript: the utterances of every stream, in turn."""
    partial_every_s: float = 0.1
    final_delay_s: float = 0.02
    fault: str = "none"
    fault_after: int = 0
    fault_times: int = 0

    def words(self, stream: int, utterance: int) -> list[str]:
        """The words of an utterance; both count from 1."""
        if self.lines:
            return self.lines[(utterance - 1) % len(self.lines)].split()
        return self.transcript.format(stream=stream, utterance=utterance).split()


class ScriptedRecogniser:
    """A recogniser that costs nothing."""

    def __init__(self, script: Script, timeline: Timeline) -> None:
        self._script = script
        self._timeline = timeline
        self._streams = 0
        self._struck = 0

    @property
    def models(self) -> Sequence[AsrModel]:
        """One model."""
        return (AsrModel("scripted-asr-streaming", ("en-US",)),)

    async def start(self) -> None:
        """Nothing to load."""

    async def stop(self) -> None:
        """Nothing to free."""

    async def open(self, hints: Hints) -> "ScriptedUtterances":
        """The next stream; numbered from 1."""
        self._streams += 1
        if self.strikes("unavailable", self._streams):
            raise EngineUnavailable("The scripted recogniser is unavailable, as its script says.")
        return ScriptedUtterances(self, self._script, self._timeline, self._streams)

    async def transcribe(self, pcm16: bytes, hints: Hints) -> Hypothesis:
        """A whole recording as one utterance."""
        utterances = await self.open(hints)
        # A second at a time, so that others get their turn in between.
        for start in range(0, len(pcm16), 2 * ASR_RATE_HZ):
            await utterances.accept(pcm16[start : start + 2 * ASR_RATE_HZ])
        return await utterances.finish()

    def strikes(self, fault: str, number: int) -> bool:
        """Does `fault` strike now, at stream or utterance `number`? Counts when it does."""
        script = self._script
        strikes = (
            script.fault == fault
            and number > script.fault_after
            and (not script.fault_times or self._struck < script.fault_times)
        )
        self._struck += strikes
        return strikes


class ScriptedUtterances:
    """One stream's script."""

    def __init__(self, recogniser: ScriptedRecogniser, script: Script, timeline: Timeline, stream: int) -> None:
        self._recogniser = recogniser
        self._script = script
        self._timeline = timeline
        self._stream = stream
        self._utterance = 0
        self._heard_s = 0.0
        self._open = False
        self._final_due = 0.0

    async def accept(self, pcm16: bytes) -> Hypothesis:
        """As many words as have had their time."""
        self._begin()
        self._heard_s += duration_s(pcm16, ASR_RATE_HZ)
        await self._misbehave()
        words = self._script.words(self._stream, self._utterance)
        return Hypothesis(" ".join(words[: int(self._heard_s / self._script.partial_every_s + 1e-6)]))

    def stopped(self, arrived_at: float) -> None:
        """The silence is complete: the final is due a delay after it arrived."""
        self._begin()
        self._final_due = arrived_at + self._script.final_delay_s
        self._timeline.note("asr.silence", arrived_at, stream=self._stream, utterance=self._utterance)

    async def finish(self) -> Hypothesis:
        """The whole script of the utterance, at its due time."""
        self._begin()
        await sleep_until(self._final_due or time.monotonic() + self._script.final_delay_s)
        words = self._script.words(self._stream, self._utterance)
        each_s = self._heard_s / max(1, len(words))
        timed = tuple(
            Word(word, number * each_s, (number + 1) * each_s, CONFIDENCE) for number, word in enumerate(words)
        )
        self._open, self._heard_s, self._final_due = False, 0.0, 0.0
        return Hypothesis(" ".join(words), timed, CONFIDENCE)

    def final_written(self) -> None:
        """Note the moment."""
        self._timeline.note("asr.final", stream=self._stream, utterance=self._utterance)

    async def close(self) -> None:
        """Nothing is kept."""

    def _begin(self) -> None:
        if not self._open:
            self._open = True
            self._utterance += 1

    async def _misbehave(self) -> None:
        if self._script.fault == "stall" and self._recogniser.strikes("stall", self._utterance):
            await asyncio.Event().wait()
        if self._heard_s >= DIE_AFTER_S and self._recogniser.strikes("die_mid_utterance", self._utterance):
            raise EngineUnavailable("The scripted recogniser died in an utterance, as its script says.")
