"""The history holds what was heard: at an interrupt, and as the caller's own report amends it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from scripted_backends import RATE_HZ, ScriptedModel, ScriptedVoice, Step
from voice_gateway.core.events import (
    CallOptions,
    Failed,
    Failure,
    LlmOptions,
    PlayoutReported,
    ReplyAudio,
    ReplyText,
    ToolCallCancelled,
    ToolCalled,
    TurnChanged,
    TurnKind,
    TurnMeasured,
)
from voice_gateway.core.summary import SummaryEnd
from voice_gateway.core.timeline import Mark, Timeline
from voice_gateway.core.tools import ToolCall, ToolResult
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import ReplyAudible, ReplyEnded
from voice_gateway.errors import Broken
from voice_gateway.session.call_tools import CallTools, ToolSetup
from voice_gateway.session.reply_controller import ReplyController
from voice_gateway.session.reply_setup import ReplySetup

pytestmark = pytest.mark.looptime

OPTIONS = CallOptions("en-US", "Anna", "Be kind.", LlmOptions("m", 0.0, 64), Policy(), RATE_HZ)
FIVE = "one two three four five."
"""Two and a half seconds."""


class Replies:
    """One call's replies and what came out of it."""

    def __init__(self, tasks: asyncio.TaskGroup, script: tuple[Step, ...], voice: ScriptedVoice, apology: str) -> None:
        self.clock = asyncio.get_running_loop().time
        self.turn = 3
        self.room = True
        self.requests = 0
        self.arrived = 10**9
        self.dropped_after: int | None = None
        """Frames that were sent; None = all of them."""
        self.facts: list[ReplyAudible | ReplyEnded] = []
        self.told: list[
            ReplyText | ReplyAudio | TurnChanged | TurnMeasured | Failed | ToolCalled | ToolCallCancelled
        ] = []
        self.model = ScriptedModel(*script)
        self.voice = voice
        self.controller = ReplyController(
            ReplySetup(self.model, voice, 0.2, 0.1, 6.0, apology),
            self,
            self.clock,
            limit=50,
            tools=CallTools("call-1", ToolSetup(), self, self.clock),
        )
        self.controller.open(tasks)

    def post(self, fact: ReplyAudible | ReplyEnded) -> None:
        self.facts.append(fact)

    def send(
        self, event: ReplyText | ReplyAudio | TurnChanged | TurnMeasured | Failed | ToolCalled | ToolCallCancelled
    ) -> None:
        self.told.append(event)

    def note_tool(self, call: ToolCall, by: str, result: ToolResult, seconds: float) -> None:
        """None is called here."""

    def note_work(self) -> None:
        self.requests += 1

    def note_chat(self, tokens: int) -> None:
        """Nothing."""

    def note_summary(self, end: SummaryEnd) -> None:
        """None is due here."""

    def note_draft(self, *, released: bool, ahead_s: float, pieces: int) -> None:
        """None is begun here."""

    def has_room(self, rate_hz: int, lead_s: float) -> bool:
        return self.room

    def sent_samples(self, n: int) -> int:
        heard = [event for event in self.told if isinstance(event, ReplyAudio) and event.n == n]
        return sum(len(event.pcm16) // 2 for event in heard[: self.dropped_after])

    def arrived_samples(self, n: int, rate_hz: int) -> int:
        return self.arrived

    def start(self, n: int, words: str = "hi", text: str = "", t0_sample: int = 0) -> Timeline:
        timeline = Timeline({Mark.SPEECH_ENDED: self.clock()} if t0_sample else {})
        self.controller.start(n, words, text, OPTIONS, timeline, t0_sample)
        return timeline

    def changes(self, kind: TurnKind) -> list[TurnChanged]:
        return [event for event in self.told if isinstance(event, TurnChanged) and event.kind is kind]

    def history(self) -> list[tuple[int, str, bool]]:
        return [(entry.n, entry.reply, entry.cut) for entry in self.controller.conversation.exchanges]

    def sent_s(self) -> float:
        return sum(len(event.pcm16) for event in self.told if isinstance(event, ReplyAudio)) / 2 / RATE_HZ


@asynccontextmanager
async def replies(
    *script: Step, voice: ScriptedVoice | None = None, apology: str = ""
) -> AsyncGenerator[Replies, None]:
    async with asyncio.TaskGroup() as tasks:
        found = Replies(tasks, script or (FIVE,), voice or ScriptedVoice(), apology)
        yield found
        found.controller.stop()


async def test_a_reply_played_to_its_end_enters_the_history_whole() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(2.6)
        assert call.history() == [(1, FIVE, False)]
        assert call.facts == [ReplyAudible(1), ReplyEnded(1)]
        assert [event.text for event in call.changes(TurnKind.REPLY_ENDED)] == [FIVE]
        assert {event.turn for event in call.told if isinstance(event, TurnChanged)} == {3}


async def test_the_model_gets_ready_once_at_a_time_and_not_after_the_call() -> None:
    async with replies() as call:
        call.controller.prepare()
        call.controller.prepare()
        await asyncio.sleep(0.05)
        assert call.model.readied == 1
        await asyncio.sleep(0.1)
        call.controller.prepare()
        await asyncio.sleep(0.05)
        assert call.model.readied == 2
        began = call.clock()
    assert call.clock() == began


async def test_the_model_is_shown_the_prompt_and_what_was_said() -> None:
    async with replies() as call:
        call.start(1, words="what time is it")
        await asyncio.sleep(0.1)
        assert [(entry.role, entry.content) for entry in call.model.chats[0]] == [
            ("system", "Be kind."),
            ("user", "what time is it"),
        ]
        options = call.voice.options[0]
        assert (options.voice, options.language, options.rate_hz) == ("Anna", "en-US", RATE_HZ)


async def test_a_known_text_is_spoken_without_asking_the_model() -> None:
    async with replies() as call:
        call.start(1, words="", text="Welcome.")
        await asyncio.sleep(1.0)
        assert call.model.chats == []
        assert call.history() == [(1, "Welcome.", False)]


async def test_an_interrupted_reply_is_cut_to_the_words_that_were_heard() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.2)
        call.controller.interrupt(1, speech_began_at=1.0)
        assert call.history() == [(1, "one two", True)]
        (event,) = call.changes(TurnKind.REPLY_INTERRUPTED)
        assert (event.heard_text, event.heard_ms, event.reply) == ("one two", 1200, 1)
        sent_s = call.sent_s()
        await asyncio.sleep(3.0)
        assert call.sent_s() == sent_s
        assert call.changes(TurnKind.REPLY_ENDED) == []
        assert [event.latencies["barge_in_stop"] for event in call.told if isinstance(event, TurnMeasured)] == [
            pytest.approx(0.2)
        ]


async def test_an_interrupt_before_anything_was_heard_leaves_nothing_in_the_history() -> None:
    async with replies(1.0, FIVE) as call:
        call.start(1)
        await asyncio.sleep(0.5)
        call.controller.interrupt(1, None)
        assert call.history() == [(1, "", True)]
        assert call.facts == []


async def test_words_of_a_phrase_still_being_made_count_as_heard_though_the_voice_tells_none() -> None:
    async with replies("seven letters " * 9 + "end.", voice=ScriptedVoice(pace_s=0.4, timed=False)) as call:
        call.start(1)
        await asyncio.sleep(3.0)
        call.controller.interrupt(1, None)
        (event,) = call.changes(TurnKind.REPLY_INTERRUPTED)
        assert event.heard_ms == 3000
        assert "seven letters seven letters seven letters".startswith(event.heard_text)
        assert event.heard_text.startswith("seven letters seven letters seven")


async def test_a_second_interrupt_of_the_same_reply_is_not_told() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.2)
        call.controller.interrupt(1, None)
        call.controller.interrupt(1, None)
        call.controller.interrupt(99, None)
        assert len(call.changes(TurnKind.REPLY_INTERRUPTED)) == 1


async def test_the_final_report_amends_the_history_within_its_time() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.6)
        call.controller.interrupt(1, None)
        assert call.history() == [(1, "one two three", True)]
        await asyncio.sleep(0.19)
        call.controller.report(PlayoutReported(1, 1050, 0, final=True))
        assert call.history() == [(1, "one two", True)]


async def test_a_late_final_report_and_one_that_is_not_final_change_nothing_after_an_interrupt() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.6)
        call.controller.interrupt(1, None)
        call.controller.report(PlayoutReported(1, 500, 0, final=False))
        await asyncio.sleep(0.21)
        call.controller.report(PlayoutReported(1, 500, 0, final=True))
        assert call.history() == [(1, "one two three", True)]


async def test_the_reply_before_is_still_amended_when_the_next_one_has_begun() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.6)
        call.controller.interrupt(1, None)
        call.start(2, words="stop")
        await asyncio.sleep(0.1)
        call.controller.report(PlayoutReported(1, 600, 0, final=True))
        assert call.history() == [(1, "one", True), (2, "", False)]


async def test_a_report_of_a_reply_nobody_knows_is_ignored() -> None:
    async with replies() as call:
        call.controller.report(PlayoutReported(1, 600, 0, final=True))
        call.start(1)
        call.controller.report(PlayoutReported(77, 600, 0, final=True))
        assert call.history() == [(1, "", False)]


async def test_reports_say_what_was_heard_when_the_reply_is_interrupted() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.6)
        call.controller.report(PlayoutReported(1, 900, 0, final=False))
        call.controller.interrupt(1, None)
        assert call.history() == [(1, "one", True)]


async def test_voice_to_voice_is_measured_on_the_callers_own_clock() -> None:
    async with replies() as call:
        call.start(1, t0_sample=16_000)
        await asyncio.sleep(0.5)
        # 300 ms were played when input sample 28 800 was recorded: it began at 24 000, half a second after T0.
        call.controller.report(PlayoutReported(1, 300, 28_800, final=False))
        call.controller.report(PlayoutReported(1, 400, 99_999, final=False))
        await asyncio.sleep(2.5)
        (measured,) = [event for event in call.told if isinstance(event, TurnMeasured)]
        assert measured.latencies["voice_to_voice"] == pytest.approx(0.5)
        assert measured.latencies["gateway_response_latency"] == pytest.approx(0.0)


async def test_a_retracted_reply_leaves_neither_words_nor_sound() -> None:
    async with replies(1.0, FIVE) as call:
        call.start(1, words="what")
        await asyncio.sleep(0.5)
        call.controller.retract(1)
        await asyncio.sleep(3.0)
        assert call.history() == []
        assert (call.sent_s(), call.facts, call.model.closed) == (0.0, [], 1)
        assert [event.reply for event in call.changes(TurnKind.REPLY_RETRACTED)] == [1]


async def test_a_reply_whose_backend_failed_enters_the_history_as_far_as_it_was_spoken() -> None:
    async with replies("Hello there. And then", Broken("llm", "it broke")) as call:
        call.voice.faults["And then"] = Broken("tts", "no voice")
        call.start(1)
        await asyncio.sleep(3.0)
        assert call.history() == [(1, "Hello there. And", False)]
        assert [event.failure for event in call.told if isinstance(event, Failed)] == [
            Failure.LLM_BROKEN,
            Failure.TTS_BROKEN,
        ]
        assert call.facts == [ReplyAudible(1), ReplyEnded(1)]


async def test_a_model_that_fails_is_apologised_for_and_the_history_says_so() -> None:
    async with replies("Hello there. And", Broken("llm", "it broke"), apology="Sorry. Ask again.") as call:
        call.start(1)
        await asyncio.sleep(4.0)
        assert call.history() == [(1, "Hello there. And Sorry. Ask again.", False)]
        assert call.facts == [ReplyAudible(1), ReplyEnded(1)]


async def test_an_apology_that_is_interrupted_is_cut_like_any_other_words() -> None:
    async with replies("Hello there.", Broken("llm", "it broke"), apology="Sorry. Ask again.") as call:
        call.start(1)
        await asyncio.sleep(1.7)
        call.controller.interrupt(1, None)
        assert call.history() == [(1, "Hello there. Sorry.", True)]


async def test_while_nobody_is_attached_audio_waits() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(0.5)
        call.controller.silence(True)
        sent_s = call.sent_s()
        await asyncio.sleep(5.0)
        assert call.sent_s() == sent_s
        call.controller.silence(False)
        await asyncio.sleep(2.5)
        assert call.sent_s() == 2.5


async def test_a_reply_that_begins_while_nobody_is_attached_waits_too() -> None:
    async with replies() as call:
        call.controller.silence(True)
        call.start(1)
        call.controller.hold(1)
        call.controller.resume(1)
        await asyncio.sleep(5.0)
        assert (call.sent_s(), call.facts) == (0.0, [])
        call.controller.silence(False)
        await asyncio.sleep(0.01)
        assert call.facts == [ReplyAudible(1)]


async def test_a_reply_the_machine_holds_stays_held_when_the_caller_comes_back() -> None:
    async with replies(0.2, FIVE) as call:
        call.start(1)
        call.controller.hold(1)
        call.controller.silence(True)
        call.controller.silence(False)
        await asyncio.sleep(2.0)
        assert call.sent_s() == 0.0
        call.controller.resume(1)
        await asyncio.sleep(0.01)
        assert call.sent_s() > 0.0
        assert len(call.changes(TurnKind.REPLY_HELD)) == len(call.changes(TurnKind.REPLY_RESUMED)) == 1


async def test_a_held_reply_goes_on_with_the_next_sample_and_the_history_holds_all_of_it() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.0)
        sent_s = call.sent_s()
        call.controller.hold(1)
        call.controller.hold(1)
        await asyncio.sleep(9.0)
        assert call.sent_s() == sent_s
        call.controller.resume(1)
        call.controller.resume(1)
        await asyncio.sleep(1.45)
        assert call.facts == [ReplyAudible(1)]
        await asyncio.sleep(0.1)
        assert call.facts == [ReplyAudible(1), ReplyEnded(1)]
        assert [event.offset for event in call.told if isinstance(event, ReplyAudio)] == list(range(0, 2500, 100))
        assert len(call.changes(TurnKind.REPLY_HELD)) == len(call.changes(TurnKind.REPLY_RESUMED)) == 1
        assert call.history() == [(1, FIVE, False)]


async def test_a_reply_interrupted_while_it_is_held_was_heard_until_then() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.2)
        call.controller.hold(1)
        await asyncio.sleep(0.9)
        call.controller.interrupt(1, speech_began_at=1.1)
        (event,) = call.changes(TurnKind.REPLY_INTERRUPTED)
        assert (event.heard_text, event.heard_ms) == ("one two", 1200)
        stops = [event.latencies["barge_in_stop"] for event in call.told if isinstance(event, TurnMeasured)]
        assert stops == [pytest.approx(0.1)]


async def test_a_reply_that_is_held_when_all_of_it_was_sent_does_not_end() -> None:
    async with replies("one two.") as call:
        call.start(1)
        await asyncio.sleep(0.7)
        call.controller.hold(1)
        await asyncio.sleep(5.0)
        assert call.facts == [ReplyAudible(1)]
        call.controller.resume(1)
        await asyncio.sleep(0.35)
        assert call.facts == [ReplyAudible(1), ReplyEnded(1)]


async def test_the_last_moment_of_a_reply_is_not_held() -> None:
    async with replies("one two.") as call:
        call.start(1)
        await asyncio.sleep(0.9)
        call.controller.hold(1)
        call.controller.resume(1)
        await asyncio.sleep(0.2)
        assert call.changes(TurnKind.REPLY_HELD) == call.changes(TurnKind.REPLY_RESUMED) == []
        assert call.history() == [(1, "one two.", False)]


async def test_a_held_reply_says_no_half_phrase_because_the_model_is_slow() -> None:
    async with replies("one two three", 5.0, " four five.") as call:
        call.start(1)
        call.controller.hold(1)
        await asyncio.sleep(4.0)
        assert call.voice.phrases == []
        call.controller.resume(1)
        await asyncio.sleep(0.1)
        assert call.voice.phrases == ["one two"]


@pytest.mark.parametrize("audio_ms", [0, 400, 500, 1100])
async def test_a_truncation_gives_the_text_of_an_interrupt_at_that_point(audio_ms: int) -> None:
    heard = []
    for how in ("interrupt", "report", "truncate", "truncate later"):
        async with replies() as call:
            call.start(1)
            await asyncio.sleep(audio_ms / 1000 if how == "interrupt" else 1.3)
            if how == "report":
                call.controller.interrupt(1, None)
                call.controller.report(PlayoutReported(1, audio_ms, 0, final=True))
            elif how == "truncate":
                assert call.controller.truncate(1, audio_ms)
                call.controller.interrupt(1, None)
            elif how == "truncate later":
                call.controller.interrupt(1, None)
                await asyncio.sleep(5.0)
                assert not call.controller.truncate(1, audio_ms)
            else:
                call.controller.interrupt(1, None)
            told = call.changes(TurnKind.REPLY_INTERRUPTED) + call.changes(TurnKind.REPLY_TRUNCATED)
            assert told[-1].heard_text == call.history()[0][1]
            heard.append(call.history())
    assert heard == [heard[0]] * 4


async def test_a_reply_that_ended_can_be_truncated_and_one_that_is_forgotten_can_not() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(3.0)
        assert not call.controller.truncate(1, 1200)
        assert call.history() == [(1, "one two", True)]
        (event,) = call.changes(TurnKind.REPLY_TRUNCATED)
        assert (event.reply, event.heard_text, event.heard_ms) == (1, "one two", 1200)
        for n in (2, 3):
            call.start(n)
            await asyncio.sleep(3.0)
        assert not call.controller.truncate(1, 100)
        assert not call.controller.truncate(9, 100)
        assert call.history()[0] == (1, "one two", True)


async def test_the_caller_is_told_when_its_report_changes_what_was_heard() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.2)
        call.controller.interrupt(1, None)
        call.controller.report(PlayoutReported(1, 1200, 0, final=True))
        assert call.changes(TurnKind.REPLY_TRUNCATED) == []
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.2)
        call.controller.interrupt(1, None)
        call.controller.report(PlayoutReported(1, 700, 0, final=True))
        (event,) = call.changes(TurnKind.REPLY_TRUNCATED)
        assert (event.heard_text, event.heard_ms) == (call.history()[0][1], 700) == ("one", 700)


async def test_what_never_arrived_was_not_heard() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.6)
        call.arrived = RATE_HZ // 2
        call.controller.interrupt(1, None)
        (cut,) = call.changes(TurnKind.REPLY_INTERRUPTED)
        assert (cut.heard_ms, cut.heard_text) == (500, "one")
        assert call.history() == [(1, "one", True)]


async def test_the_callers_own_report_counts_more_than_what_is_known_to_have_arrived() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.6)
        call.arrived = RATE_HZ // 2
        call.controller.interrupt(1, None)
        call.controller.report(PlayoutReported(1, RATE_HZ, 0, final=True))
        assert call.history() == [(1, "one two", True)]


async def test_a_model_that_began_in_a_thought_is_held_the_next_time() -> None:
    async with replies("So. I think", 0.5, " well.</think>Yes.") as call:
        call.start(1)
        await asyncio.sleep(3.0)
        assert call.voice.phrases == ["So.", "Yes."]
        call.start(2)
        await asyncio.sleep(3.0)
        assert call.voice.phrases == ["So.", "Yes.", "Yes."]
        assert call.history() == [(1, "Yes.", False), (2, "Yes.", False)]
        call.model.script = ("No thought. None", 0.5, " at all.")
        for n in (3, 4):
            call.start(n)
            await asyncio.sleep(5.0)
        assert call.voice.phrases[3:] == ["No thought.", "None at all."] * 2
        first = [current.timeline.marks for current in call.controller._recent]
        assert [marks[Mark.PHRASE_SENT] - marks[Mark.LLM_ASKED] for marks in first] == pytest.approx([0.5, 0.0])


async def test_a_report_beyond_what_was_sent_counts_no_audio_that_was_dropped_before_it_left() -> None:
    async with replies() as call:
        call.start(1)
        await asyncio.sleep(1.6)
        call.dropped_after = 10
        call.controller.interrupt(1, None)
        call.controller.report(PlayoutReported(1, 10 * RATE_HZ, 0, final=True))
        assert call.history() == [(1, "one two", True)]


@pytest.mark.parametrize("at_s", [0.5, 1.0, 1.5])
async def test_no_audio_follows_the_interrupt_though_more_came_in_that_very_moment(at_s: float) -> None:
    async with replies(voice=ScriptedVoice(pace_s=0.5)) as call:
        call.start(1)
        asyncio.get_running_loop().call_later(at_s, call.controller.interrupt, 1, None)
        await asyncio.sleep(at_s + 1.0)
        kinds = [event.kind if isinstance(event, TurnChanged) else type(event) for event in call.told]
        assert ReplyAudio not in kinds[kinds.index(TurnKind.REPLY_INTERRUPTED) :]
