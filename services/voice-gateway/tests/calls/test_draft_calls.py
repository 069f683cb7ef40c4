"""Is a reply that was begun before its turn was decided unseen until then? Over the wire."""

import pytest
from fake_llm import Answer
from fake_riva import ramp
from lab import lab
from voice_gateway.app import load
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent


@pytest.fixture(autouse=True)
def busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that tests may be short of time; the gateway is not to mind."""
    monkeypatch.setattr(load, "MOST_LAG_S", float("inf"))


async def test_a_draft_is_ready_before_the_caller_is_told_of_its_turn() -> None:
    async with lab(turn_end_silence_s=1.0, turn_complete_silence_s=1.0) as there:
        there.llm.answers.append(Answer("Good morning! How are you?"))
        caller = await there.call()
        stream = await there.asr.stream()
        stream.final("Good morning.")
        await there.llm.request()
        await there.tts.changes.until(lambda: there.tts.spoken and there.tts.spoken[0].over, "the first phrase")
        assert not caller.of("turn")
        over = await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert over.text == caller.text(1).strip() == "Good morning! How are you?"
        kinds = [message.turn.kind for message in caller.of("turn")]
        assert kinds == [TurnEvent.TURN_ENDED, TurnEvent.REPLY_STARTED, TurnEvent.REPLY_ENDED]
        assert caller.audio(1) == ramp(960) * 2
        assert [phrase.text for phrase in there.tts.spoken] == ["Good morning!", "How are you?"]
        assert len(there.llm.asked) == 1
        assert await there.metric('voice_drafts_total{end="released"}') == 1
        assert 0.5 < await there.metric("voice_draft_ahead_seconds_sum") < 5.0


async def test_a_caller_who_goes_on_sees_nothing_of_the_draft_and_its_calls_are_cancelled() -> None:
    async with lab(turn_end_silence_s=1.0, turn_complete_silence_s=1.0) as there:
        there.llm.answers.append(Answer("Of course. And", "hang"))
        there.tts.fault = "drip"
        caller = await there.call()
        stream = await there.asr.stream()
        stream.final("I would like")
        asked, phrase = await there.llm.request(), await there.tts.phrase()
        there.tts.fault = ""
        stream.final("a cup of tea.")
        await there.llm.changes.until(lambda: asked.over, "the end of the draft's request")
        await there.tts.changes.until(lambda: phrase.over, "the end of the draft's phrase")
        assert asked.cancelled
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        told = [(message.turn.kind, message.turn.turn, message.turn.reply) for message in caller.of("turn")]
        assert told == [(TurnEvent.TURN_ENDED, 1, 0), (TurnEvent.REPLY_STARTED, 1, 2), (TurnEvent.REPLY_ENDED, 1, 2)]
        assert not caller.text(1) + caller.text(0)
        assert not caller.audio(1)
        assert there.llm.asked[1].chat == [("user", "I would like a cup of tea.")]
        assert await there.metric('voice_drafts_total{end="retracted"}') == 1
        await caller.type("Thanks.")
        await caller.turn(TurnEvent.REPLY_ENDED, 3)
        assert there.llm.asked[2].chat[0] == ("user", "I would like a cup of tea.")


async def test_the_failure_of_a_draft_is_told_to_nobody() -> None:
    async with lab(turn_end_silence_s=1.0, turn_complete_silence_s=1.0) as there:
        there.llm.answers.append(Answer(status=500))
        caller = await there.call()
        stream = await there.asr.stream()
        stream.final("Good morning.")
        await there.llm.request()
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "All right."
        assert not caller.of("error")
        assert len(there.llm.asked) == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_a_model_that_has_too_much_to_do_gets_no_drafts_for_a_while(status: int) -> None:
    async with lab(turn_end_silence_s=1.0, turn_complete_silence_s=1.0) as there:
        there.llm.answers.append(Answer(status=status))
        caller = await there.call()
        stream = await there.asr.stream()
        stream.final("Good morning.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert await there.metric('voice_drafts_total{end="retracted"}') == 1
        stream.final("How are you?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert len(there.llm.asked) == 3, "once for the draft, and once for each turn that was decided"
        assert await there.metric('voice_drafts_total{end="released"}') == 0


async def test_push_to_talk_asks_nobody_before_the_commit() -> None:
    async with lab() as there:
        caller = await there.call(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK)
        stream = await there.asr.stream()
        stream.final("Wait for me.")
        await caller.expect("transcript")
        assert not there.llm.asked
        await caller.send(commit=pb.CommitTurn())
        await there.asr.changes.until(lambda: stream.forced, "a forced end of utterance")
        stream.final("")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert await there.metric('voice_drafts_total{end="released"}') == 0


async def test_a_gateway_that_is_short_of_time_begins_no_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MOST_LAG_S", -1.0)
    async with lab() as there:
        caller = await there.call()
        stream = await there.asr.stream()
        stream.final("Good morning.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert await there.metric('voice_drafts_total{end="released"}') == 0
