"""Who recognises when the first engine can't? The spare one, from the utterance on in which the first failed.

The open utterance's audio is kept until its final, so that the spare hears it from its beginning. Once the spare has
taken over, new streams are its own until the server is started again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from speech_server.core.asr.asr_types import AsrModel, Hints, Hypothesis
from speech_server.errors import EngineUnavailable
from speech_server.interfaces import HasCounters, HasQueue, Recogniser, SpeculativeUtterances, Utterances

_log = logging.getLogger(__name__)


class FallbackRecogniser:
    """Two recognisers that look like one."""

    def __init__(self, first: Recogniser, fallback: Recogniser) -> None:
        self._first = first
        self._fallback = fallback
        self._fallback_runs = False
        self._failed = ""
        self._changing = asyncio.Lock()

    @property
    def models(self) -> Sequence[AsrModel]:
        """The first engine's: callers go on asking for it. Phrases are promised only while who works can boost them."""
        if not self._failed:
            return self._first.models
        return [replace(model, boosts=self._fallback.models[0].boosts) for model in self._first.models]

    @property
    def state(self) -> str:
        """Who works."""
        if self._failed:
            return f"spare engine {self._fallback.models[0].name}, because: {self._failed}"
        return str(getattr(self._first, "state", self._first.models[0].name))

    @property
    def figures(self) -> Mapping[str, float]:
        """The first engine's counts."""
        return self._first.figures if isinstance(self._first, HasCounters) else {}

    @property
    def waiting(self) -> int:
        """The first engine's queue."""
        return self._first.waiting if isinstance(self._first, HasQueue) else 0

    async def start(self) -> None:
        """Start the first; the spare when the first can't. Raises EngineUnavailable when neither can."""
        try:
            await self._first.start()
        except EngineUnavailable as error:
            await self.take_over(error)

    async def stop(self) -> None:
        """Stop both."""
        await self._first.stop()
        await self._fallback.stop()

    async def open(self, hints: Hints) -> "FallbackUtterances":
        """A stream of whoever works."""
        if not self._failed:
            try:
                return FallbackUtterances(self, await self._first.open(hints), hints)
            except EngineUnavailable as error:
                await self.take_over(error)
        return FallbackUtterances(self, await self._fallback.open(hints), hints, is_fallback=True)

    async def transcribe(self, pcm16: bytes, hints: Hints) -> Hypothesis:
        """A whole recording, by whoever works."""
        if not self._failed:
            try:
                return await self._first.transcribe(pcm16, hints)
            except EngineUnavailable as error:
                await self.take_over(error)
        return await self._fallback.transcribe(pcm16, hints)

    async def take_over(self, error: EngineUnavailable) -> None:
        """The spare works from now on. Raises EngineUnavailable when it can't either."""
        async with self._changing:
            if not self._fallback_runs:
                _log.error("the spare engine %s takes over: %s", self._fallback.models[0].name, error)
                await self._fallback.start()
                self._fallback_runs = True
            self._failed = self._failed or str(error)

    async def open_fallback(self, hints: Hints) -> Utterances:
        """A stream of the spare."""
        return await self._fallback.open(hints)


class FallbackUtterances:
    """One stream; moves to the spare in the middle of an utterance without losing it."""

    def __init__(
        self, engines: FallbackRecogniser, utterances: Utterances, hints: Hints, is_fallback: bool = False
    ) -> None:
        self._engines = engines
        self._utterances = utterances
        self._hints = hints
        self._is_fallback = is_fallback
        # Bounded by the longest utterance the server allows.
        self._said = bytearray()

    async def accept(self, pcm16: bytes) -> Hypothesis:
        """Decode more."""
        self._said += b"" if self._is_fallback else pcm16
        try:
            return await self._utterances.accept(pcm16)
        except EngineUnavailable as error:
            return await self._move(error)

    async def finish(self) -> Hypothesis:
        """End the utterance."""
        try:
            said = await self._utterances.finish()
        except EngineUnavailable as error:
            await self._move(error)
            said = await self._utterances.finish()
        self._said.clear()
        return said

    async def close(self) -> None:
        """Give the state back."""
        await self._utterances.close()

    def paused(self) -> None:
        """Passed on to an engine that works ahead."""
        if isinstance(self._utterances, SpeculativeUtterances):
            self._utterances.paused()

    def resumed(self) -> None:
        """Passed on likewise."""
        if isinstance(self._utterances, SpeculativeUtterances):
            self._utterances.resumed()

    async def expected(self) -> Hypothesis:
        """What an engine that works ahead expects, else what it believes."""
        if not isinstance(self._utterances, SpeculativeUtterances):
            return await self._utterances.accept(b"")
        try:
            return await self._utterances.expected()
        except EngineUnavailable as error:
            return await self._move(error)

    async def _move(self, error: EngineUnavailable) -> Hypothesis:
        if self._is_fallback:
            raise error
        await self._engines.take_over(error)
        failed, self._utterances = self._utterances, await self._engines.open_fallback(self._hints)
        self._is_fallback = True
        with contextlib.suppress(EngineUnavailable):
            await failed.close()
        said = bytes(self._said)
        self._said.clear()
        return await self._utterances.accept(said)
