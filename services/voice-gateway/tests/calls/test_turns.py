"""How does a conversation go, turn by turn?"""

from pathlib import Path

import pytest
from fake_llm import Answer
from fake_riva import ramp
from lab import lab
from voice_gateway.core import turn_log
from voice_gateway.core.conversation import CALL_BEGINS
from voice_gateway.core.turn_policy import Policy
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent


async def test_a_greeting_is_spoken_first_and_remembered() -> None:
    async with lab(greeting="Good morning!", then_works=False) as there:
        caller = await there.call()
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "Good morning!"
        assert caller.audio(1) == ramp(960)
        assert not there.llm.asked
        await caller.type("Hello.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        before = ("user", CALL_BEGINS.content)
        assert there.llm.asked[0].chat == [before, ("assistant", "Good morning!"), ("user", "Hello.")]


async def test_a_caller_may_choose_the_greeting() -> None:
    async with lab() as there:
        caller = await there.call(greeting="Welcome back!")
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "Welcome back!"


async def test_a_typed_turn_is_answered_in_text_and_in_audio() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 0.5
        there.llm.answers.append(Answer("Fine, thanks. And you?"))
        caller = await there.call(system_prompt="Be kind.", llm=pb.LlmOptions(model="m", max_tokens=99), voice="Ada")
        await caller.type(" How are you? ")
        ended = await caller.turn(TurnEvent.TURN_ENDED)
        assert (ended.turn, ended.text) == (1, "How are you?")
        over = await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert over.text == "Fine, thanks. And you?"
        assert caller.text(1).strip() == over.text
        assert caller.audio(1) == ramp(8_000) * (len(there.tts.spoken))
        assert there.llm.asked[0].body["messages"][0] == {"role": "system", "content": "Be kind."}
        assert (there.llm.asked[0].body["model"], there.llm.asked[0].body["max_tokens"]) == ("m", 99)
        assert {phrase.voice for phrase in there.tts.spoken} == {"Ada"}
        latency = (await caller.expect("latency")).latency
        assert latency.HasField("llm_ttft")
        assert latency.HasField("tts_ttfb")


async def test_a_spoken_turn_ends_after_its_final_and_is_answered() -> None:
    async with lab() as there:
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.say(ramp(16_000))
        await stream.heard(32_000)
        stream.partial("good mor", processed_s=0.6)
        stream.final("Good morning.", [("Good", 100, 300), ("morning.", 350, 800)], processed_s=1.0)
        final = (await caller.expect("transcript", lambda m: m.transcript.final)).transcript
        assert (final.text, final.turn, final.utterance) == ("Good morning.", 1, 1)
        assert (final.first_sample, final.last_sample) == (1_600, 12_800)
        assert [message.transcript.text for message in caller.of("transcript")] == ["good mor", "Good morning."]
        assert (await caller.turn(TurnEvent.TURN_ENDED)).text == "Good morning."
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert there.llm.asked[0].chat == [("user", "Good morning.")]


async def test_push_to_talk_waits_for_the_commit_and_forces_the_final() -> None:
    async with lab() as there:
        caller = await there.call(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK)
        stream = await there.asr.stream()
        await caller.say(ramp(8_000))
        stream.final("One.")
        await caller.expect("transcript")
        await caller.say(ramp(8_000))
        await stream.heard(32_000)
        stream.partial("two")
        await caller.expect("transcript", lambda m: m.transcript.text == "two")
        assert not caller.of("turn")
        assert not stream.forced
        await caller.send(commit=pb.CommitTurn())
        await there.asr.changes.until(lambda: stream.forced, "a forced end of utterance")
        stream.final("Two.")
        assert (await caller.turn(TurnEvent.TURN_ENDED)).text == "One. Two."
        await caller.turn(TurnEvent.REPLY_ENDED, 1)


async def test_an_interrupt_stops_the_reply_and_its_calls_and_the_history_holds_what_was_played() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 10
        there.llm.answers.append(Answer("One two three. And then", "hang"))
        caller = await there.call()
        await caller.type("Count.")
        await caller.expect("reply_audio")
        asked = await there.llm.request()
        await caller.send(interrupt=pb.Interrupt())
        await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)
        await there.llm.quiet()
        assert asked.cancelled


@pytest.mark.parametrize("reported_s", [1.2, 4.0])
async def test_after_an_interrupt_the_model_is_shown_what_the_caller_reports_as_played(reported_s: float) -> None:
    async with lab(playout_lead_ms=2_000) as there:
        there.tts.seconds = lambda text: 4
        numbers = "One two three four five six seven eight nine ten."
        there.llm.answers.append(Answer(numbers))
        caller = await there.call()
        await caller.type("Count.")
        await caller.expect("reply_audio", lambda m: m.reply_audio.offset >= 24_000)
        await caller.send(playout=pb.PlayoutReport(reply=1, samples_played=16_000))
        await caller.send(interrupt=pb.Interrupt())
        cut = await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)
        assert cut.heard_ms == pytest.approx(1_000, abs=200)
        assert "One two three".startswith(cut.heard_text)
        await there.tts.quiet()
        sent = caller.audio(1)
        await caller.send(playout=pb.PlayoutReport(reply=1, samples_played=round(reported_s * 16_000), final=True))
        await caller.type("Go on.")
        await caller.turn(TurnEvent.TURN_ENDED)
        there.tts.seconds = lambda text: 0.06
        await there.llm.request(2)
        heard_s = min(reported_s, len(sent) / 32_000)
        heard = there.llm.asked[1].chat[1][1]
        assert numbers.startswith(heard)
        assert len(heard) == pytest.approx(heard_s / 4 * len(numbers), abs=len("three "))
        assert there.llm.asked[1].chat[0] == ("user", "Count.")
        assert caller.audio(1) == sent


async def test_typing_over_a_reply_interrupts_it() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 10
        caller = await there.call()
        await caller.type("Tell me.")
        await caller.expect("reply_audio")
        await caller.type("Stop.")
        await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)
        await caller.turn(TurnEvent.REPLY_STARTED, 2)


async def test_a_caller_who_goes_on_before_the_reply_is_audible_gets_one_answer_to_all_of_it() -> None:
    async with lab() as there:
        there.llm.answers.append(Answer("", "hang"))
        caller = await there.call()
        stream = await there.asr.stream()
        stream.final("I would like")
        asked = await there.llm.request()
        await caller.turn(TurnEvent.REPLY_STARTED, 1)
        stream.final("a cup of tea.")
        await caller.turn(TurnEvent.REPLY_RETRACTED, 1)
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert asked.cancelled
        assert there.llm.asked[1].chat == [("user", "I would like a cup of tea.")]
        assert not caller.audio(1)


async def test_an_update_holds_from_the_next_reply_on() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 0.5
        caller = await there.call(voice="Ada", system_prompt="Be kind.")
        await caller.type("One.")
        await there.tts.phrase()
        change = pb.SessionUpdate(voice="Bob", system_prompt="Be brief.", llm=pb.LlmOptions(temperature=0))
        await caller.send(update=change)
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await caller.type("Two.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert [phrase.voice for phrase in there.tts.spoken] == ["Ada", "Bob"]
        assert [asked.body["messages"][0]["content"] for asked in there.llm.asked] == ["Be kind.", "Be brief."]
        assert there.llm.asked[1].body["temperature"] == 0


async def test_an_update_to_push_to_talk_stops_turns_from_ending_by_themselves() -> None:
    async with lab() as there:
        caller = await there.call()
        await caller.send(update=pb.SessionUpdate(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK))
        await caller.send(text=pb.Text(text=" "))
        await caller.error(pb.Error.BAD_REQUEST)
        stream = await there.asr.stream()
        stream.final("Wait for me.")
        await caller.expect("transcript")
        assert not caller.of("turn")
        await caller.send(commit=pb.CommitTurn())
        await there.asr.changes.until(lambda: stream.forced, "a forced end of utterance")
        stream.final("")
        assert (await caller.turn(TurnEvent.TURN_ENDED)).text == "Wait for me."


async def test_the_turn_log_of_a_call_replays_to_the_orders_it_was_given(tmp_path: Path) -> None:
    folder = tmp_path / "turn_logs"
    async with lab(gateway_journal_dir=folder, then_works=False) as there:
        there.tts.seconds = lambda text: 10
        caller = await there.call()
        stream = await there.asr.stream()
        stream.partial("tell me")
        stream.final("Tell me a story.")
        await caller.expect("reply_audio")
        await caller.send(interrupt=pb.Interrupt())
        await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)
        there.tts.seconds = lambda text: 0.06
        await caller.type("A short one.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        await caller.hang_up()
        await there.settled()
    (file,) = folder.iterdir()
    orders = [type(order).__name__ for _, order in turn_log.replay(file.read_text("utf-8").splitlines())]
    assert orders == ["StartReply", "ReleaseReply", "InterruptReply", "StartReply"]


async def test_a_change_of_patience_is_in_the_turn_log(tmp_path: Path) -> None:
    folder = tmp_path / "turn_logs"
    async with lab(gateway_journal_dir=folder, then_works=False) as there:
        caller = await there.call()
        await caller.send(update=pb.SessionUpdate(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK))
        await caller.type("Hello.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await caller.hang_up()
        await there.settled()
    (file,) = folder.iterdir()
    said = [turn_log.decode(line)[1] for line in file.read_text("utf-8").splitlines()[1:]]
    (changed,) = [one for one in said if isinstance(one, Policy)]
    assert not changed.decides
