"""Does the spare engine take over without a word lost? With engines that fail when told."""

import pytest
from speech_server.core.asr.asr_types import AsrModel, Hints, Hypothesis
from speech_server.engines.asr.scripted.recogniser import Script, ScriptedRecogniser
from speech_server.engines.fallback import FallbackRecogniser
from speech_server.errors import EngineUnavailable
from speech_server.timeline import Timeline

HINTS = Hints("en-US")
SECOND = bytes(32_000)


class ScriptedStream:
    """Says how many seconds it was given; fails from the n-th call on."""

    def __init__(self, works: int) -> None:
        self._works = works
        self._bytes = 0

    async def accept(self, pcm16: bytes) -> Hypothesis:
        self._works -= 1
        if self._works < 0:
            raise EngineUnavailable("the engine died")
        self._bytes += len(pcm16)
        return Hypothesis(f"{self._bytes / 32_000:g}")

    async def finish(self) -> Hypothesis:
        said = await self.accept(b"")
        self._bytes = 0
        return said

    async def close(self) -> None:
        """Nothing is kept."""


class Engine(ScriptedRecogniser):
    """An engine of those streams."""

    def __init__(self, works: int, starts: bool = True) -> None:
        super().__init__(Script(), Timeline(None))
        self._works = works
        self._starts = starts

    async def start(self) -> None:
        if not self._starts:
            raise EngineUnavailable("it does not start")

    async def open(self, hints: Hints) -> ScriptedStream:  # type: ignore[override]
        return ScriptedStream(self._works)


async def test_the_open_utterance_is_heard_again_from_its_beginning() -> None:
    engines = FallbackRecogniser(Engine(works=4), Engine(works=99))
    await engines.start()
    stream = await engines.open(HINTS)
    await stream.accept(SECOND)
    assert (await stream.finish()).text == "1"
    await stream.accept(SECOND)
    assert (await stream.accept(SECOND)).text == "2"
    assert (await stream.accept(SECOND)).text == "3", "the spare was given all three seconds"
    assert (await stream.finish()).text == "3"
    await stream.accept(SECOND)
    assert (await stream.finish()).text == "1"
    await stream.close()


async def test_an_engine_that_dies_in_the_final_loses_nothing() -> None:
    engines = FallbackRecogniser(Engine(works=2), Engine(works=99))
    await engines.start()
    stream = await engines.open(HINTS)
    await stream.accept(SECOND)
    await stream.accept(SECOND)
    assert (await stream.finish()).text == "2"


async def test_the_spare_serves_when_the_first_does_not_start() -> None:
    engines = FallbackRecogniser(Engine(0, starts=False), Engine(99))
    await engines.start()
    assert "it does not start" in engines.state
    stream = await engines.open(HINTS)
    assert (await stream.accept(SECOND)).text == "1"
    assert (await stream.expected()).text == "1"


async def test_when_both_fail_the_caller_is_told() -> None:
    engines = FallbackRecogniser(Engine(0), Engine(0))
    await engines.start()
    stream = await engines.open(HINTS)
    with pytest.raises(EngineUnavailable, match="died"):
        await stream.accept(SECOND)
    with pytest.raises(EngineUnavailable, match="not start"):
        await FallbackRecogniser(Engine(0, starts=False), Engine(0, starts=False)).start()


async def test_a_recording_goes_to_the_spare_too() -> None:
    engines = FallbackRecogniser(Engine(0), Engine(99))
    await engines.start()
    assert (await engines.transcribe(SECOND, HINTS)).text == "1"


async def test_phrases_are_not_promised_when_the_spare_cannot_boost_them(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Engine(0, starts=False)
    monkeypatch.setattr(Engine, "models", property(lambda engine: (AsrModel("m", ("en-US",), boosts=engine is first),)))
    engines = FallbackRecogniser(first, Engine(99))
    assert [model.boosts for model in engines.models] == [True]
    await engines.start()
    assert [(model.name, model.boosts) for model in engines.models] == [("m", False)]
