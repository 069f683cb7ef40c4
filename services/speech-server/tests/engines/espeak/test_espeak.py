"""Does eSpeak NG speak at once, stop at once, and keep to its own process?"""

import asyncio
import importlib.util
import sys
import wave
from pathlib import Path

import psutil
import pytest
from speech_server.core.tts.tts_types import SpeechRequest, Voice
from speech_server.engines.tts.espeak.synthesiser import EspeakSynthesiser
from speech_server.engines.tts.espeak.voices import RATE_HZ
from speech_server.errors import EngineBusy, EngineUnavailable

from .conftest import living_processes, say

LONG = "This sentence is said again and again. " * 200


def seconds(chunks: list[bytes]) -> float:
    return sum(len(chunk) for chunk in chunks) / 2 / RATE_HZ


async def test_a_sentence_is_spoken_in_chunks_with_its_words(espeak: EspeakSynthesiser) -> None:
    chunks = await say(espeak, "Hello world, this costs twenty euros.")
    lengths = [seconds([chunk.pcm16]) for chunk in chunks]
    assert 0.04 <= lengths[0] <= 0.1
    assert all(0.1 <= length <= 0.25 for length in lengths[1:-1])
    assert 2 < sum(lengths) < 4
    words = [word for chunk in chunks for word in chunk.words]
    assert [word.text for word in words] == ["Hello", "world", "this", "costs", "twenty", "euros"]
    assert all(word.start_s < word.end_s <= sum(lengths) for word in words)
    begins = 0.0
    for chunk, length in zip(chunks, lengths, strict=True):
        assert all(begins - 0.001 <= word.start_s < begins + length + 0.001 for word in chunk.words)
        begins += length


async def test_the_same_text_sounds_the_same_each_time(espeak: EspeakSynthesiser) -> None:
    first = await say(espeak, "Good morning.")
    await say(espeak, "Something else.", "German-DE.Female-1")
    assert await say(espeak, "Good morning.") == first


async def test_every_listed_voice_speaks_and_sounds_different(espeak: EspeakSynthesiser) -> None:
    spoken = [await say(espeak, "one two", voice.name) for voice in espeak.voices]
    audio = [b"".join(chunk.pcm16 for chunk in chunks) for chunks in spoken]
    assert all(seconds([each]) > 0.3 for each in audio)
    assert len(set(audio)) == len(espeak.voices)


async def test_a_voice_that_is_not_listed_is_refused(espeak: EspeakSynthesiser) -> None:
    request = SpeechRequest("hello", Voice("English-US.Nobody", "en-US", RATE_HZ))
    with pytest.raises(EngineUnavailable, match=r"English-US\.Nobody"):
        await anext(espeak.speak(request))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\0\x01\n",
        "<<<&&&",
        "\ud83d",
        "... --- ...",
        "\N{PARTY POPPER} \N{CYRILLIC SMALL LETTER ZHE}",
        "<speak><bad",
    ],
)
@pytest.mark.parametrize("ssml", [False, True])
async def test_empty_text_and_garbage_come_to_an_end(espeak: EspeakSynthesiser, text: str, ssml: bool) -> None:
    chunks = await say(espeak, text, ssml=ssml)
    assert all(len(chunk.pcm16) % 2 == 0 for chunk in chunks)
    assert seconds([chunk.pcm16 for chunk in chunks]) < 6


async def test_ssml_is_understood_only_where_it_is_said_to_be_ssml(espeak: EspeakSynthesiser) -> None:
    text = '<speak>one<break time="3s"/>two</speak>'
    as_ssml, as_text = await say(espeak, text, ssml=True), await say(espeak, text)
    assert [word.text for chunk in as_ssml for word in chunk.words] == ["one", "two"]
    assert seconds([chunk.pcm16 for chunk in as_ssml]) > 3
    assert "break" in [word.text for chunk in as_text for word in chunk.words]


@pytest.mark.parametrize(
    ("breaks", "least_s", "most_s"),
    [
        ('<break time="3600s"/>', 10, 12),
        ("<break time='3600000ms'/>", 10, 12),
        ('<break time = "&#51;600s" />', 10, 12),
        ('<break time="3600"/>', 0.4, 2.5),
        ('<break time="1e9s"/>', 0.4, 2.5),
        ('<break time="500ms"/>', 0.9, 2.5),
        ('<prosody rate="1%">a <break time="99s"></break></prosody>', 10, 15),
        ('<break time="20s"/>and' * 3, 30, 34),
    ],
)
async def test_a_break_is_ten_seconds_long_at_the_most(
    espeak: EspeakSynthesiser, breaks: str, least_s: float, most_s: float
) -> None:
    for opening in ("<speak>", '<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'):
        chunks = await say(espeak, f"{opening}one &amp; {breaks} two</speak>", ssml=True)
        assert least_s < seconds([chunk.pcm16 for chunk in chunks]) < most_s
        assert [word.text for chunk in chunks for word in chunk.words][-1] == "two"


async def test_ssml_can_not_play_a_file_of_the_server(espeak: EspeakSynthesiser, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "secret.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(b"\x11\x22" * 5 * RATE_HZ)
    text = f'<speak><audio src="{tmp_path}/secret.wav">no</audio></speak>'
    chunks = await say(espeak, text, ssml=True)
    assert seconds([chunk.pcm16 for chunk in chunks]) < 2
    assert [word.text for chunk in chunks for word in chunk.words] == ["no"]


async def test_closing_the_generator_ends_the_synthesis_at_once(espeak: EspeakSynthesiser) -> None:
    idle = living_processes()
    speech = espeak.speak(SpeechRequest(LONG, espeak.voices[0]))
    await anext(speech)
    (child,) = living_processes() - idle
    await speech.aclose()
    # Nobody reads the minutes of speech that it has still to say: only the end of the stream can end it.
    await asyncio.to_thread(child.wait, 5)
    assert seconds([chunk.pcm16 for chunk in await say(espeak, "next")]) < 1


async def test_a_listener_who_takes_his_time_holds_up_nobody(espeak: EspeakSynthesiser) -> None:
    slow = espeak.speak(SpeechRequest(LONG, espeak.voices[0]))
    await anext(slow)
    async with asyncio.timeout(5):
        assert await say(espeak, "quick")
    assert (await anext(slow)).pcm16
    await slow.aclose()


async def test_what_is_not_fetched_is_not_made_ahead_without_end(espeak: EspeakSynthesiser) -> None:
    idle = living_processes()
    slow = espeak.speak(SpeechRequest(LONG * 5, espeak.voices[0]))
    await anext(slow)
    (child,) = living_processes() - idle
    await say(espeak, LONG)  # more than a second of work: time enough to make all of it
    assert child.is_running()
    assert child.memory_full_info().uss < 30e6
    await slow.aclose()


async def test_a_crash_hurts_one_text_and_the_next_is_spoken(espeak: EspeakSynthesiser) -> None:
    idle = living_processes()
    speech = espeak.speak(SpeechRequest(LONG, espeak.voices[0]))
    await anext(speech)
    (child,) = living_processes() - idle
    child.kill()
    with pytest.raises(EngineUnavailable, match="died"):
        async for _ in speech:
            pass
    for template in idle:
        template.kill()
    assert await say(espeak, "still here")


async def test_more_texts_than_processes_are_refused(espeak: EspeakSynthesiser) -> None:
    streams = [espeak.speak(SpeechRequest(LONG, espeak.voices[0])) for _ in range(8)]
    for stream in streams:
        await anext(stream)
    with pytest.raises(EngineBusy):
        await say(espeak, "one too many")
    for stream in streams:
        await stream.aclose()
    assert await say(espeak, "room again")


async def test_nothing_is_left_after_stop_and_the_library_stays_outside() -> None:
    engine = EspeakSynthesiser()
    await engine.start()
    speech = engine.speak(SpeechRequest(LONG, engine.voices[0]))
    await anext(speech)
    await engine.stop()
    assert living_processes() == set()
    assert "espeakng_loader" not in sys.modules
    assert not any("libespeak" in mapped.path for mapped in psutil.Process().memory_maps())
    with pytest.raises(EngineUnavailable):
        async for _ in speech:
            pass


async def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match=r"pip install espeakng-loader"):
        await EspeakSynthesiser().start()
