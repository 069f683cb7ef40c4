"""May one call mix typed turns, push-to-talk and turns that end by themselves? The history keeps all, in order."""

from fake_riva import ramp
from lab import lab
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent
PUSH, SERVER = pb.TURN_DETECTION_PUSH_TO_TALK, pb.TURN_DETECTION_SERVER
REPLY = ("assistant", "All right.")


def update(detection: pb.TurnDetection.ValueType) -> dict[str, pb.SessionUpdate]:
    """A message that changes who ends turns."""
    return {"update": pb.SessionUpdate(turn_detection=detection)}


async def test_typed_turns_push_to_talk_and_detection_by_the_server_in_one_call() -> None:
    async with lab() as there:
        caller = await there.call()
        stream = await there.asr.stream()

        await caller.type("Typed first.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await caller.say(ramp(3_200))
        stream.final("Spoken second.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)

        await caller.send(**update(PUSH))
        await caller.say(ramp(3_200))
        stream.final("Pushed third,")
        await caller.expect("transcript", lambda m: m.transcript.text == "Pushed third,")
        await caller.say(ramp(3_200))
        stream.final("in two parts.")
        await caller.expect("transcript", lambda m: m.transcript.text == "in two parts.")
        assert len(there.llm.asked) == 2, "only the caller ends a turn now"
        await caller.send(commit=pb.CommitTurn())
        await caller.turn(TurnEvent.REPLY_ENDED, 3)

        await caller.type("Typed fourth.")
        await caller.turn(TurnEvent.REPLY_ENDED, 4)
        await caller.send(**update(SERVER))
        await caller.say(ramp(3_200))
        stream.final("Spoken fifth.")
        await caller.turn(TurnEvent.REPLY_ENDED, 5)

        assert there.llm.asked[-1].chat == [
            ("user", "Typed first."), REPLY,
            ("user", "Spoken second."), REPLY,
            ("user", "Pushed third, in two parts."), REPLY,
            ("user", "Typed fourth."), REPLY,
            ("user", "Spoken fifth."),
        ]  # fmt: skip
        assert not caller.of("error")


async def test_what_was_said_before_a_typed_turn_is_answered_with_it_under_push_to_talk() -> None:
    async with lab() as there:
        caller = await there.call(turn_detection=PUSH)
        stream = await there.asr.stream()
        await caller.say(ramp(3_200))
        stream.final("The blue one,")
        await caller.expect("transcript")
        await caller.type("size M.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert there.llm.asked[0].chat == [("user", "The blue one, size M.")]


async def test_words_that_wait_for_a_commitment_are_answered_when_the_server_decides_again() -> None:
    async with lab() as there:
        caller = await there.call(turn_detection=PUSH)
        stream = await there.asr.stream()
        await caller.say(ramp(3_200))
        stream.final("Never committed.")
        await caller.expect("transcript")
        await caller.send(**update(SERVER))
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert there.llm.asked[0].chat == [("user", "Never committed.")]


async def test_a_caller_who_switches_to_push_to_talk_in_a_reply_is_not_interrupted_by_speech_any_more() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 0.6
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.type("Tell me.")
        await caller.expect("reply_audio")
        await caller.send(**update(PUSH))
        await caller.say(ramp(3_200))
        stream.final("And this?")
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "All right."
        await caller.send(commit=pb.CommitTurn())
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[1].chat == [("user", "Tell me."), REPLY, ("user", "And this?")]
