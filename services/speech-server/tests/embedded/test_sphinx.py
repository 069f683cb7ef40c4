"""Does the embedded recogniser hear people, stream by stream, and leave nothing behind?"""

import asyncio
import sys
from pathlib import Path

import pytest
import uvloop
from speech_server.embedded.sphinx import SphinxRecogniser
from speech_server.ports import EngineBusy, EngineUnavailable, Hints

from .conftest import Recordings, hear, living_processes, quiet

HINTS = Hints("en-US")
NAMES = ("goforward", "cards-001", "cards-004", "austen-0880")


async def alone(engine: SphinxRecogniser, audio: bytes) -> str:
    """What a stream hears that hears nothing else."""
    stream = await engine.open(HINTS)
    heard = await hear(stream, audio)
    await stream.close()
    return heard.text


async def test_a_person_is_understood_word_for_word(sphinx: SphinxRecogniser, recordings: Recordings) -> None:
    stream = await sphinx.open(HINTS)
    heard = await hear(stream, recordings.audio("goforward"))
    assert heard.text == recordings.text("goforward")
    assert [word.text for word in heard.words] == heard.text.split()
    assert all(0 < word.confidence <= 1 for word in heard.words)
    starts = [word.start_s for word in heard.words]
    assert starts == sorted(starts)
    assert 0.4 < starts[0] < 0.6
    assert 2.0 < heard.words[-1].end_s < 2.3


async def test_partials_grow_into_the_final(sphinx: SphinxRecogniser, recordings: Recordings) -> None:
    stream = await sphinx.open(HINTS)
    audio = recordings.audio("goforward")
    partials = [(await stream.accept(audio[at : at + 3200])).text for at in range(0, len(audio), 3200)]
    assert list(dict.fromkeys(partials)) == ["", "go", "go forward", "go forward ten", "go forward ten meters"]


async def test_silence_is_no_words(sphinx: SphinxRecogniser) -> None:
    stream = await sphinx.open(HINTS)
    assert (await hear(stream, quiet(1.0))).text == ""
    assert (await stream.finish()).text == ""
    assert (await stream.accept(b"")).text == ""


async def test_times_begin_anew_with_each_utterance(sphinx: SphinxRecogniser, recordings: Recordings) -> None:
    stream = await sphinx.open(HINTS)
    first = await hear(stream, recordings.audio("goforward"))
    second = await hear(stream, recordings.audio("goforward"))
    assert second.text == first.text
    assert abs(second.words[0].start_s - first.words[0].start_s) < 0.1


async def test_a_fresh_stream_is_not_coloured_by_the_one_before(
    sphinx: SphinxRecogniser, recordings: Recordings
) -> None:
    clip = recordings.audio("austen-0880")
    first = await sphinx.open(HINTS)
    fresh = await hear(first, clip)
    for _ in range(2):
        await hear(first, recordings.audio("cards-002"))
    await first.close()
    second = await sphinx.open(HINTS)
    assert await hear(second, clip) == fresh


async def test_ten_streams_at_once_hear_what_each_hears_alone(sphinx: SphinxRecogniser, recordings: Recordings) -> None:
    clips = [recordings.audio(name) for name in (NAMES * 3)[:10]]
    expected = [await alone(sphinx, clip) for clip in clips[: len(NAMES)]]
    together = await asyncio.gather(*(alone(sphinx, clip) for clip in clips))
    assert together == (expected * 3)[:10]


async def test_the_stream_after_the_last_is_refused_until_one_closes(sphinx: SphinxRecogniser) -> None:
    streams = [await sphinx.open(HINTS) for _ in range(10)]
    with pytest.raises(EngineBusy, match="10 streams"):
        await sphinx.open(HINTS)
    await streams[0].close()
    await streams[0].close()
    again = await sphinx.open(HINTS)
    assert (await again.finish()).text == ""


async def test_a_killed_child_only_hurts_its_own_stream(sphinx: SphinxRecogniser, recordings: Recordings) -> None:
    audio = recordings.audio("cards-004")
    kept = await sphinx.open(HINTS)
    before = living_processes()
    lost = await sphinx.open(HINTS)
    await lost.accept(audio)
    (child,) = living_processes() - before
    child.kill()
    with pytest.raises(EngineUnavailable, match="died"):
        await hear(lost, audio)
    with pytest.raises(EngineUnavailable, match="died"):
        await lost.finish()
    await lost.close()
    assert (await hear(kept, audio)).text == "five five"
    assert await alone(sphinx, audio) == "five five"


async def test_a_killed_template_is_replaced_and_hurts_no_stream(
    sphinx: SphinxRecogniser, recordings: Recordings
) -> None:
    audio = recordings.audio("cards-004")
    (template,) = living_processes()
    kept = await sphinx.open(HINTS)
    template.kill()
    async with asyncio.timeout(5):  # not the deadline of a fork nobody will answer
        assert await alone(sphinx, audio) == "five five"
    assert (await hear(kept, audio)).text == "five five"
    await kept.close()


async def test_an_answer_nobody_waited_for_is_not_taken_for_the_next(
    sphinx: SphinxRecogniser, recordings: Recordings
) -> None:
    stream = await sphinx.open(HINTS)
    asked = asyncio.create_task(stream.accept(recordings.audio("goforward")))
    for _ in range(3):
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await stream.finish()
    assert (await hear(stream, recordings.audio("cards-004"))).text == "five five"


async def test_nothing_is_left_after_stop(recordings: Recordings) -> None:
    engine = SphinxRecogniser(workers=3)
    await engine.start()
    streams = [await engine.open(HINTS) for _ in range(3)]
    asked = asyncio.create_task(streams[0].accept(recordings.audio("austen-0870")))
    await streams[1].accept(recordings.audio("cards-001"))
    assert len(living_processes()) == 4
    await engine.stop()
    assert living_processes() == set()
    with pytest.raises(EngineUnavailable):
        await asked
    await engine.stop()


async def test_no_process_outlives_a_killed_server() -> None:
    program = """
import asyncio, sys
from speech_server.embedded.sphinx import SphinxRecogniser
from speech_server.ports import Hints
async def main():
    engine = SphinxRecogniser(2)
    await engine.start()
    streams = [await engine.open(Hints("en-US")) for _ in range(2)]
    sys.stdout.write("open")
    sys.stdout.flush()
    await asyncio.Event().wait()
asyncio.run(main())
"""
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=pipe, stderr=pipe)
    assert server.stdout is not None
    assert await server.stdout.readexactly(4) == b"open"
    server.kill()
    async with asyncio.timeout(10):
        await server.communicate()  # ends when the last process that shares its pipes is gone


def test_it_works_on_the_loop_the_server_uses(recordings: Recordings) -> None:
    async def once() -> str:
        engine = SphinxRecogniser(workers=1)
        await engine.start()
        heard = await alone(engine, recordings.audio("cards-004"))
        await engine.stop()
        return heard

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(once()) == "five five"
    assert living_processes() == set()


CARDS = """#JSGF V1.0;
grammar cards;  // ten of clubs
<rank> = two | three | four {rank} | five | /2/ ten | queen;
public <card> = <rank> [<rank>] [of (clubs | hearts)];
"""


async def test_a_grammar_mends_what_the_open_model_mishears(tmp_path: Path, recordings: Recordings) -> None:
    grammar = tmp_path / "cards.gram"
    grammar.write_text(CARDS)
    engine = SphinxRecogniser(workers=1, grammar=grammar)
    await engine.start()
    card = await alone(engine, recordings.audio("cards-002"))
    other = await alone(engine, recordings.audio("goforward"))
    await engine.stop()
    assert card == recordings.text("cards-002")
    assert other == recordings.text("goforward")


async def test_example_sentences_mend_what_the_open_model_mishears(tmp_path: Path, recordings: Recordings) -> None:
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("Four queen of clubs.\nten of clubs\nfive five\nthree of hearts\n")
    engine = SphinxRecogniser(workers=1, sentences=sentences)
    await engine.start()
    card = await alone(engine, recordings.audio("cards-002"))
    other = await alone(engine, recordings.audio("goforward"))
    await engine.stop()
    assert card == recordings.text("cards-002")
    assert other == recordings.text("goforward")


@pytest.mark.parametrize(
    ("grammar", "sentence"),
    [
        ("#JSGF V1.0; grammar x; public <x> = go zorkwhizz | florp;", "zorkwhizz, florp"),
        ("#JSGF V1.0; grammar x; public <x> = (go;", "not JSGF"),
        (None, "can't be read"),
    ],
)
async def test_a_grammar_that_cannot_work_is_refused_with_a_sentence(
    tmp_path: Path, grammar: str | None, sentence: str
) -> None:
    path = tmp_path / "broken.gram"
    if grammar is not None:
        path.write_text(grammar)
    engine = SphinxRecogniser(workers=1, grammar=path)
    with pytest.raises(EngineUnavailable, match=sentence):
        await engine.start()
    assert living_processes() == set()


async def test_alternatives_are_found_when_asked_for(sphinx: SphinxRecogniser, recordings: Recordings) -> None:
    stream = await sphinx.open(Hints("en-US", alternatives=4))
    heard = await hear(stream, recordings.audio("austen-0870"))
    await stream.close()
    texts = [heard.text, *(other.text for other in heard.others)]
    assert len(set(texts)) == len(texts) == 4
    assert all("<" not in text and "(" not in text for text in texts)
    alone = await sphinx.open(Hints("en-US"))
    assert (await hear(alone, recordings.audio("austen-0870"))).others == ()
    await alone.close()
