"""An answer is spoken from its first phrase on, waits where nobody listens, and stops as one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from scripted_backends import RATE_HZ, ScriptedModel, ScriptedVoice, Step
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.playout import Playout
from voice_gateway.core.speech_types import SynthesisedAudio, SynthesisOptions
from voice_gateway.core.timeline import Mark
from voice_gateway.errors import Broken, TooSlow, Upstream
from voice_gateway.reply.reply import Reply, SpeechSetup
from voice_gateway.reply.source import Boundary, Source, fixed

pytestmark = pytest.mark.looptime

FRAME_S = 0.1
LEAD_S = 0.2


class Stage:
    """One reply, its backends, and what its listener was told and when."""

    def __init__(
        self, *script: Step, voice: ScriptedVoice | None = None, ahead_s: float = 6.0, apology: str = ""
    ) -> None:
        self.clock = asyncio.get_running_loop().time
        self.model = ScriptedModel(*script)
        self.voice = voice or ScriptedVoice()
        self.room = True
        self.frames: list[tuple[float, int]] = []
        self.text: list[str] = []
        self.marks: list[tuple[Mark, float]] = []
        self.failures: list[Upstream] = []
        self.requests = 0
        source = Source(self.words(), apology)
        speaker = SpeechSetup(self.voice, SynthesisOptions("en-US", "", RATE_HZ), ahead_s)
        self.reply = Reply(7, source, speaker, Playout(RATE_HZ, LEAD_S, FRAME_S), self, self.clock)

    async def words(self) -> AsyncGenerator[str | Boundary, None]:
        async with aclosing(self.model.answer([], LlmOptions("m", 0.0, 1))) as answer:
            async for piece in answer:
                assert isinstance(piece, str)
                yield piece

    def reply_text_added(self, n: int, delta: str) -> None:
        assert n == 7
        self.text.append(delta)

    def reply_has_room(self, n: int) -> bool:
        return self.room

    def reply_audio_due(self, n: int, offset: int, pcm16: bytes) -> None:
        assert n == 7
        assert offset == sum(length for _, length in self.frames)
        self.frames.append((self.clock(), len(pcm16) // 2))

    def reply_marked(self, n: int, mark: Mark) -> None:
        if mark not in dict(self.marks):
            self.marks.append((mark, self.clock()))

    def reply_failed(self, n: int, error: Upstream) -> None:
        self.failures.append(error)

    def reply_requested(self, n: int) -> None:
        self.requests += 1

    def reply_tools_changed(self, n: int) -> None:
        """No tools here."""

    @property
    def sent_s(self) -> float:
        """Seconds of audio that left."""
        return sum(length for _, length in self.frames) / RATE_HZ


async def test_a_reply_lasts_until_it_is_played_to_its_end() -> None:
    stage = Stage("Hello there.")
    await stage.reply.run()
    assert stage.sent_s == 1.0
    assert stage.clock() == pytest.approx(1.0, abs=0.01)
    assert (stage.reply.text, "".join(stage.text), stage.voice.phrases) == ("Hello there.",) * 2 + (["Hello there."],)
    assert (stage.model.closed, stage.voice.closed) == (1, 1)
    assert stage.reply.failed is False


async def test_the_first_phrase_is_spoken_while_the_model_still_writes() -> None:
    stage = Stage(0.5, "Hello", " there. How", 2.0, " are", " you?")
    await stage.reply.run()
    assert stage.frames[0][0] == pytest.approx(0.5)
    assert stage.voice.phrases == ["Hello there.", "How are you?"]
    at = stage.frames[10][0]
    assert at == pytest.approx(2.5)  # the second phrase, after a gap


async def test_the_moments_of_a_reply_are_marked_in_their_order() -> None:
    stage = Stage(0.5, "Hello", 0.25, " there.", voice=ScriptedVoice(delay_s=0.125))
    await stage.reply.run()
    assert stage.marks == [(Mark.FIRST_TOKEN, 0.5), (Mark.PHRASE_SENT, 0.75), (Mark.FIRST_SOUND, 0.875)]


async def test_audio_leaves_no_earlier_than_its_lead() -> None:
    stage = Stage("one two three four")
    await stage.reply.run()
    for number, (at, _) in enumerate(stage.frames):
        assert at >= number * FRAME_S - LEAD_S - 1e-9
        assert at <= max(0.0, number * FRAME_S - LEAD_S) + 0.01


async def test_the_text_is_told_a_phrase_at_a_time_and_completely() -> None:
    stage = Stage("Hello", " there", ". How", " are", " you", "?", " ")
    await stage.reply.run()
    assert "".join(stage.text) == "Hello there. How are you? "
    assert len(stage.text) <= 3


async def test_the_voice_works_only_so_far_ahead_of_playing() -> None:
    stage = Stage("a b c d e f g h i j k l m n o p", ahead_s=2.0)
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(0.01)
    assert stage.reply.playout.waiting_s <= 2.5
    assert stage.voice.words == 5
    await asyncio.sleep(1.0)
    assert stage.reply.playout.waiting_s <= 2.5
    await task
    assert (stage.voice.words, stage.sent_s) == (16, 8.0)


async def test_audio_waits_while_too_much_of_it_is_on_its_way_and_its_clock_waits_with_it() -> None:
    stage = Stage("one two three four")
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(0.5)
    stage.room = False
    sent_s = stage.sent_s
    await asyncio.sleep(8.0)
    assert stage.sent_s == sent_s
    stage.room = True
    began = stage.clock()
    await task
    assert stage.sent_s == 2.0
    assert stage.clock() - began == pytest.approx(2.0 - sent_s, abs=0.06)


async def test_the_model_is_read_only_so_far_ahead_of_the_voice() -> None:
    stage = Stage(*["Go on. "] * 100, voice=ScriptedVoice(delay_s=1.0))
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(0.5)
    assert stage.model.read <= 20
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_when_the_model_fails_midway_what_it_said_until_then_is_spoken() -> None:
    stage = Stage("Hello there. And", " then", Broken("llm", "it broke"))
    await stage.reply.run()
    assert stage.voice.phrases == ["Hello there.", "And then"]
    assert stage.sent_s == 2.0
    assert [str(error) for error in stage.failures] == ["it broke"]
    assert stage.reply.failed
    assert stage.reply.playout.spoken_text() == "Hello there. And then"


async def test_when_the_model_fails_at_once_the_reply_is_over_without_a_sound() -> None:
    stage = Stage(TooSlow("llm", "too slow"))
    await stage.reply.run()
    assert (stage.frames, stage.voice.phrases, len(stage.failures)) == ([], [], 1)
    assert stage.clock() == pytest.approx(0.0, abs=0.01)


async def test_a_source_that_breaks_off_is_followed_by_its_apology() -> None:
    stage = Stage("Hello there. And", " then", Broken("llm", "it broke"), apology="Sorry. Ask again.")
    await stage.reply.run()
    assert stage.voice.phrases == ["Hello there.", "And then", "Sorry.", "Ask again."]
    assert "".join(stage.text) == "Hello there. And then Sorry. Ask again."
    assert stage.reply.playout.spoken_text() == "Hello there. And then Sorry. Ask again."
    assert len(stage.failures) == 1


async def test_a_source_that_fails_at_once_is_its_apology_and_no_first_token() -> None:
    stage = Stage(1.0, TooSlow("llm", "too slow"), apology="Sorry.")
    await stage.reply.run()
    assert ("".join(stage.text), stage.voice.phrases, stage.sent_s) == ("Sorry.", ["Sorry."], 0.5)
    assert stage.frames[0][0] == 1.0
    assert Mark.FIRST_TOKEN not in dict(stage.marks)


async def test_an_answer_that_is_whole_needs_no_apology() -> None:
    stage = Stage("Hello there.", apology="Sorry.")
    await stage.reply.run()
    assert stage.voice.phrases == ["Hello there."]


async def test_when_the_voice_fails_what_was_made_is_played_and_the_text_goes_on_to_the_caller() -> None:
    voice = ScriptedVoice()
    voice.faults["And then more."] = Broken("tts", "no voice")
    stage = Stage("Hello there.", " And then more.", 60.0, *[" Never said."] * 30, voice=voice)
    await stage.reply.run()
    assert stage.sent_s == 1.5
    assert stage.voice.phrases == ["Hello there.", "And then more."]
    assert "".join(stage.text) == "Hello there. And then more." + " Never said." * 30
    assert [error.service for error in stage.failures] == ["tts"]
    assert (stage.model.closed, stage.voice.closed) == (1, 2)
    assert stage.reply.playout.spoken_text() == "Hello there. And"


async def test_when_model_and_voice_fail_the_caller_can_still_read_the_apology() -> None:
    voice = ScriptedVoice()
    voice.faults["Hello there."] = Broken("tts", "no voice")
    stage = Stage("Hello there. ", 1.0, TooSlow("llm", "too slow"), voice=voice, apology="Sorry.")
    await stage.reply.run()
    assert "".join(stage.text) == "Hello there. Sorry."
    assert sorted(error.service for error in stage.failures) == ["llm", "tts"]


async def test_a_voice_that_falls_silent_ends_the_reply_when_its_deadline_has_passed() -> None:
    voice = ScriptedVoice()
    voice.faults["Hello there."] = TooSlow("tts", "speech synthesis sent no audio within 5 s; try again")
    stage = Stage("Hello there.", voice=voice)
    await stage.reply.run()
    assert stage.sent_s == 0.5
    assert len(stage.failures) == 1


async def test_cancelling_a_reply_closes_the_model_and_the_voice() -> None:
    stage = Stage("Hello there. And", 60.0, voice=ScriptedVoice(pace_s=60.0))
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(1.0)
    assert (stage.model.closed, stage.voice.closed) == (0, 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (stage.model.closed, stage.voice.closed) == (1, 1)
    assert stage.clock() == 1.0


async def test_a_cancelled_reply_gives_its_unsent_audio_back_and_knows_what_was_heard() -> None:
    stage = Stage("one two three four five.")
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(1.2)
    assert stage.reply.playout.waiting_s > 1.0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.reply.playout.waiting_s == 0.0
    assert stage.reply.playout.heard_text(stage.clock()) == "one two"


async def test_cancelling_a_reply_whose_voice_waits_for_room_closes_both_too() -> None:
    stage = Stage("one two three four five. And", 60.0, ahead_s=1.0)
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(0.25)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (stage.model.closed, stage.voice.closed) == (1, 1)


async def test_a_held_reply_sends_nothing_and_goes_on_where_it_stopped() -> None:
    stage = Stage("one two three four")
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(0.45)
    stage.reply.hold()
    held_s = stage.sent_s
    await asyncio.sleep(10.0)
    assert stage.sent_s == held_s
    stage.reply.resume()
    await task
    assert stage.sent_s == 2.0
    assert stage.clock() == pytest.approx(10.45 + 2.0 - held_s, abs=0.02)


async def test_a_reply_held_before_it_began_is_made_but_not_sent() -> None:
    stage = Stage("one two")
    stage.reply.hold()
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(5.0)
    assert (stage.frames, stage.voice.words) == ([], 2)
    stage.reply.resume()
    await task
    assert stage.frames[0][0] == 5.0


@pytest.mark.parametrize("script", [(), ("",), (" ",), (" \n",), ("...",), ("**", "\n"), ("👍",)])
async def test_an_answer_without_words_ends_at_once_with_the_error_of_an_empty_one(script: tuple[str, ...]) -> None:
    stage = Stage(*script)
    await stage.reply.run()
    assert (stage.frames, stage.voice.phrases) == ([], [])
    assert [str(error) for error in stage.failures] == ["the language model answered with no text; ask again"]
    assert stage.reply.failed
    assert stage.clock() == pytest.approx(0.0, abs=0.01)


async def test_where_the_caller_hears_nothing_whole_words_leave_without_the_end_of_their_phrase() -> None:
    words = "I will now slowly tell you a rather long story about nothing"
    script = [step for word in words.split() for step in (f" {word}", 0.8)]
    stage = Stage(*script, " at all.")
    await stage.reply.run()
    assert stage.frames[0][0] <= 1.2 + 0.8 + 0.01
    assert " ".join(stage.voice.phrases) == f"{words} at all."
    gaps = [later - sooner for (sooner, _), (later, _) in zip(stage.frames, stage.frames[1:], strict=False)]
    assert max(gaps) <= 1.2 + 0.8 + 0.1 + 0.01


async def test_a_sentence_whose_end_looks_sure_is_spoken_whole_when_nothing_more_comes() -> None:
    stage = Stage("Hello there.", 60.0, " And more.")
    task = asyncio.create_task(stage.reply.run())
    await asyncio.sleep(1.3)
    assert stage.voice.phrases == ["Hello there."]
    await task
    assert stage.voice.phrases == ["Hello there.", "And more."]


async def test_a_thought_is_neither_spoken_nor_shown_nor_remembered() -> None:
    stage = Stage("<thi", "nk>Hm.", " Let me see. </th", "ink>", "\n\nIt is noon.", "<|eot_id|>")
    await stage.reply.run()
    assert stage.voice.phrases == ["It is noon."]
    assert stage.reply.text == "".join(stage.text) == "It is noon."
    assert stage.reply.playout.spoken_text() == "It is noon."


async def test_a_thought_that_only_its_end_tells_is_dropped_but_for_what_was_heard() -> None:
    stage = Stage(
        "Let me think. Then I say", 0.7, " noon. So</think>It is noon.", voice=ScriptedVoice(delay_s=0.1, pace_s=0.5)
    )
    await stage.reply.run()
    assert stage.voice.phrases == ["Let me think.", "It is noon."]
    assert stage.reply.text == "It is noon."
    assert stage.reply.playout.spoken_text() == "It is noon."
    assert stage.sent_s == pytest.approx(0.8 + 3 * 0.5)  # that much had left
    assert stage.reply.began_in_thought


async def test_what_is_spoken_otherwise_than_written_is_remembered_as_written() -> None:
    stage = Stage("It is $5 now.")
    await stage.reply.run()
    assert stage.voice.phrases == ["It is 5 dollars now."]
    assert stage.reply.text == "It is $5 now."
    assert [stage.reply.playout.heard_text(at) for at in (1.4, 1.9, 2.1)] == ["It is", "It is", "It is $5"]


async def test_words_do_not_leave_early_while_the_caller_still_hears_others() -> None:
    stage = Stage("One two three four five six. Seven", 0.5, " eight", 0.5, " nine", 0.5, " ten.")
    await stage.reply.run()
    assert stage.voice.phrases == ["One two three four five six.", "Seven eight nine ten."]


@pytest.mark.parametrize("timed", [True, False])
async def test_the_words_of_every_phrase_are_known_whether_or_not_the_voice_tells(timed: bool) -> None:
    stage = Stage("Hello there. Good day.", voice=ScriptedVoice(timed=timed))
    await stage.reply.run()
    playout = stage.reply.playout
    assert playout.spoken_text() == "Hello there. Good day."
    assert playout.heard_text(stage.clock()) == "Hello there. Good day."


async def test_a_fixed_text_is_one_piece() -> None:
    assert [piece async for piece in fixed("Welcome. How are you?").pieces] == ["Welcome. How are you?"]


async def test_words_that_come_ahead_of_their_audio_are_not_the_first_sound() -> None:
    class EarlyWords(ScriptedVoice):
        async def synthesise(self, phrase: str) -> AsyncGenerator[SynthesisedAudio, None]:
            yield SynthesisedAudio(b"", (("Hello", 0.5),))
            await asyncio.sleep(0.25)
            yield SynthesisedAudio(bytes(RATE_HZ))

    stage = Stage("Hello.", voice=EarlyWords())
    await stage.reply.run()
    assert dict(stage.marks)[Mark.FIRST_SOUND] == 0.25
    assert stage.frames[0][0] == 0.25
