"""How does the server recognise speech without weights or GPU? With PocketSphinx, one process per stream.

Decoding holds Python's global lock, so it can't live in the server's process. US English, near microphone; expect
one word in four wrong in free speech, and nearly none inside a grammar.
"""

from collections.abc import Sequence
from pathlib import Path

from speech_server.core.offline import as_one_utterance
from speech_server.embedded.forked import ForkedEngine, Line
from speech_server.embedded.frames import AUDIO, FINISH, unpack_hypothesis
from speech_server.ports import ASR_RATE_HZ, AsrModel, Hints, Hypothesis

MODEL = AsrModel("pocketsphinx-en-us", ("en-US",))

_SLICE_BYTES = 2 * ASR_RATE_HZ
"""One second: long audio is decoded in slices, each with a deadline of its own."""


class SphinxRecogniser:
    """At most `workers` streams at once, each in a process forked for it (26 MB, 44 with a large grammar).

    `grammar` is a JSGF file of what callers are likely to say, `sentences` a text file of examples, one a line; both
    make those sentences far better understood and leave others as they are. Phrases are not used.
    """

    def __init__(self, workers: int = 16, grammar: Path | None = None, sentences: Path | None = None) -> None:
        given = [("--grammar", grammar), ("--sentences", sentences)]
        arguments = [text for name, path in given if path is not None for text in (name, str(path.absolute()))]
        module = "speech_server.embedded.sphinx_worker"
        self._workers = workers
        self._engine = ForkedEngine("The embedded recogniser", module, arguments, workers)

    @property
    def models(self) -> Sequence[AsrModel]:
        """The one model there is."""
        return (MODEL,)

    @property
    def state(self) -> str:
        """One line for `/readyz`."""
        return f"{MODEL.name} on cpu, a process a stream, {self._workers} at most"

    async def start(self) -> None:
        """Load the decoders in their own process (0.5 s). Raises EngineUnavailable with a sentence."""
        await self._engine.start()

    async def stop(self) -> None:
        """End all processes; open streams get EngineUnavailable."""
        await self._engine.stop()

    async def open(self, hints: Hints) -> "SphinxUtterances":
        """Decoders for one stream. Raises EngineBusy when all workers are in use."""
        return SphinxUtterances(self._engine, await self._engine.open(), hints.alternatives)

    async def transcribe(self, pcm16: bytes, hints: Hints) -> Hypothesis:
        """A whole recording as one utterance."""
        return await as_one_utterance(self, pcm16, hints)


class SphinxUtterances:
    """One stream. A method that raises EngineUnavailable raises it from then on; close and open another."""

    def __init__(self, engine: ForkedEngine, line: Line, alternatives: int = 1) -> None:
        self._engine = engine
        self._line = line
        self._alternatives = alternatives

    async def accept(self, pcm16: bytes) -> Hypothesis:
        """Decode more. The last word is held back until a pause follows it, since it is only a guess until then."""
        answer = b""
        for start in range(0, max(1, len(pcm16)), _SLICE_BYTES):
            answer = await self._line.ask(AUDIO, pcm16[start : start + _SLICE_BYTES])
        return unpack_hypothesis(answer)

    async def finish(self) -> Hypothesis:
        """End the utterance: all words, with times and posteriors."""
        return unpack_hypothesis(await self._line.ask(FINISH, str(self._alternatives).encode()))

    async def close(self) -> None:
        """End the stream's process."""
        self._engine.release(self._line)
