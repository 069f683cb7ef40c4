"""What does a caller hear of a voice that dies, stalls, drips nothing or sends WAV? Every word once, or an error."""

import struct
import time

import grpc
import pytest
from fake_llm import Answer
from fake_riva import Death, ramp
from lab import Lab, lab
from raw_caller import Caller
from voice_gateway.config_languages import built_in
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent
RATE_HZ = 16_000
TEXT = "One two three four five six seven eight nine ten."
WORD_S = 0.04


async def ask(there: Lab, text: str = TEXT) -> Caller:
    """A call whose turn is answered with `text`, each word as long as the others."""
    there.tts.seconds = lambda phrase: WORD_S * len(phrase.split())
    there.tts.message_bytes = 1_000
    there.llm.answers.append(Answer(text))
    caller = await there.call()
    await caller.type("Count.")
    return caller


async def remembered(there: Lab, caller: Caller) -> str:
    """What the model is told it has said."""
    await caller.type("Go on.")
    await caller.turn(TurnEvent.REPLY_ENDED, 2)
    return dict(there.llm.asked[-1].chat).get("assistant", "")


@pytest.mark.parametrize("tells_words", [True, False], ids=["words told", "no words told"])
@pytest.mark.parametrize(
    ("after_s", "code"),
    [
        (0.0, grpc.StatusCode.UNAVAILABLE),
        (0.03, grpc.StatusCode.UNAVAILABLE),
        (0.2, grpc.StatusCode.INTERNAL),
        (0.2, grpc.StatusCode.CANCELLED),
        (0.39, grpc.StatusCode.UNKNOWN),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_a_voice_that_dies_in_a_phrase_goes_on_where_it_broke_off(
    tells_words: bool, after_s: float, code: grpc.StatusCode
) -> None:
    async with lab() as there:
        there.tts.tells_words = tells_words
        there.tts.deaths.append(Death(after_s, code))
        caller = await ask(there)
        ended = await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert ended.text == TEXT
        assert caller.audio(1) == ramp(round(10 * WORD_S * RATE_HZ))
        assert [phrase.text for phrase in there.tts.spoken] == [TEXT] * 2
        assert not caller.of("error")
        assert await remembered(there, caller) == TEXT


async def test_a_voice_that_dies_again_and_again_is_followed_while_its_server_comes_back() -> None:
    async with lab() as there:
        there.tts.deaths.extend([Death(0.1), Death(0.0), Death(0.05), Death(0.3)])
        caller = await ask(there)
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == TEXT
        assert caller.audio(1) == ramp(round(10 * WORD_S * RATE_HZ))


async def test_a_voice_that_stalls_in_a_phrase_is_asked_again() -> None:
    async with lab(tts_audio_timeout_s=0.2) as there:
        there.tts.deaths.append(Death(0.2, None))
        caller = await ask(there)
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == TEXT
        assert caller.audio(1) == ramp(round(10 * WORD_S * RATE_HZ))


async def test_a_server_that_is_replaced_in_a_phrase_costs_no_word() -> None:
    async with lab() as there:
        there.tts.deaths.append(Death(0.3, None))
        caller = await ask(there)
        await caller.expect("reply_audio")
        await there.tts.stop()
        await there.tts.start()
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == TEXT
        assert caller.audio(1) == ramp(round(10 * WORD_S * RATE_HZ))
        assert not caller.of("error")


async def test_a_voice_that_stays_dead_is_told_and_the_history_holds_what_was_heard() -> None:
    async with lab(tts_first_audio_timeout_s=0.3, llm_apology="none") as there:
        there.tts.tells_words = True
        there.tts.deaths.extend([Death(0.2)] * 20)
        caller = await ask(there, f"{TEXT} And more of it.")
        await caller.error(pb.Error.TTS_UNAVAILABLE)
        ended = await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert ended.text == "One two three four five"
        assert caller.audio(1) == ramp(round(0.2 * RATE_HZ))
        assert caller.text(1).strip() == f"{TEXT} And more of it."
        assert 2 <= len(there.tts.spoken) <= 5
        there.tts.deaths.clear()
        assert await remembered(there, caller) == "One two three four five"


@pytest.mark.parametrize("tells_words", [True, False], ids=["words told", "no words told"])
async def test_a_voice_that_breaks_off_in_an_answer_says_sorry_in_the_callers_language(tells_words: bool) -> None:
    async with lab() as there:
        there.tts.tells_words = tells_words
        there.tts.seconds = lambda phrase: 0.2 * len(phrase.split())
        there.tts.deaths.append(Death(1.02, grpc.StatusCode.INVALID_ARGUMENT))
        there.llm.answers.append(Answer(f"{TEXT} And more of it."))
        caller = await there.call(language="de-DE")
        await caller.type("Count.")
        assert not (await caller.error(pb.Error.TTS_BROKEN)).retryable
        ended = await caller.turn(TurnEvent.REPLY_ENDED, 1)
        sorry = built_in().find("de").apology
        heard = "One two three four five" if tells_words else TEXT[: ended.text.index(sorry) - 1]
        assert ended.text == f"{heard} {sorry}"
        assert TEXT.startswith(heard)
        assert len(heard.split()) in (3, 4, 5)
        assert caller.text(1).split() == f"{TEXT} And more of it. {sorry}".split()
        assert len(caller.audio(1)) == 2 * round((1.02 + 0.2 * len(sorry.split())) * RATE_HZ)
        assert await remembered(there, caller) == ended.text


async def test_a_voice_that_never_spoke_is_not_asked_to_say_sorry() -> None:
    async with lab() as there:
        there.tts.fault = grpc.StatusCode.INVALID_ARGUMENT
        caller = await ask(there)
        await caller.error(pb.Error.TTS_BROKEN)
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert [phrase.text for phrase in there.tts.spoken] == [TEXT]
        there.tts.fault = ""


async def test_a_voice_that_is_refused_is_asked_once_and_the_caller_can_read_the_answer() -> None:
    async with lab() as there:
        there.tts.fault = grpc.StatusCode.INVALID_ARGUMENT
        caller = await ask(there, "First this. Then that. And this.")
        assert not (await caller.error(pb.Error.TTS_BROKEN)).retryable
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == ""
        assert caller.text(1).strip() == "First this. Then that. And this."
        assert len(there.tts.spoken) == 1
        there.tts.fault = ""


async def test_an_interrupted_phrase_is_not_asked_for_again() -> None:
    async with lab() as there:
        there.tts.deaths.append(Death(0.3, None))
        caller = await ask(there)
        await caller.expect("reply_audio")
        await caller.send(interrupt=pb.Interrupt())
        await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)
        await there.tts.quiet()
        assert len(there.tts.spoken) == 1


async def test_empty_audio_is_no_progress() -> None:
    async with lab(tts_first_audio_timeout_s=0.2) as there:
        there.tts.fault = "drip"
        began = time.monotonic()
        caller = await ask(there)
        assert "no audio within 0.2 s" in (await caller.error(pb.Error.TTS_TIMEOUT)).message
        assert time.monotonic() - began < 4.0
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        there.tts.fault = ""


async def test_when_a_voice_wants_to_be_asked_again_reaches_the_caller() -> None:
    async with lab() as there:
        there.tts.fault, there.tts.trailers = grpc.StatusCode.RESOURCE_EXHAUSTED, (("retry-after-ms", "7000"),)
        caller = await ask(there)
        assert (await caller.error(pb.Error.TTS_UNAVAILABLE)).retry_after_s == 7.0
        there.tts.fault = ""


@pytest.mark.parametrize("message_bytes", [1, 7, 44, 1_001])
async def test_a_wav_header_is_no_click(message_bytes: int) -> None:
    async with lab() as there:
        size = 2 * round(WORD_S * RATE_HZ)
        fmt = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
        there.tts.header = (
            b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + fmt + b"data" + struct.pack("<I", size)
        )
        caller = await ask(there, "One.")
        there.tts.message_bytes = message_bytes
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert caller.audio(1) == ramp(size // 2)
