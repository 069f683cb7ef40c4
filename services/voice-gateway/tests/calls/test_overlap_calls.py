"""What comes over the wire when a caller makes a sound over a reply, hums along, or hears a notice?"""

from fake_llm import Answer
from fake_riva import ramp
from lab import lab
from raw_caller import Caller
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent
RATE_HZ = 16_000


async def times(caller: Caller, kind: str, count: int) -> None:
    """Wait until the caller was told of it so often."""
    await caller.expect("turn", lambda message: caller.told().count(kind) >= count)


async def test_a_reply_that_was_held_for_nothing_loses_no_sample_and_goes_into_the_history_whole() -> None:
    async with lab(turn_barge_in_after_s=4.0) as there:
        there.tts.seconds = lambda text: 1.5
        there.llm.answers.append(Answer("One two three four five six."))
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.type("Count.")
        await caller.expect("reply_audio")
        for number in range(1, 4):
            stream.partial(f"wait {number}")
            await times(caller, "REPLY_HELD", number)
            stream.final("")
            await times(caller, "REPLY_RESUMED", number)
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "One two three four five six."
        assert caller.audio(1) == ramp(round(1.5 * RATE_HZ))
        told = caller.told()
        assert told.count("REPLY_HELD") == told.count("REPLY_RESUMED") == 3
        assert "REPLY_INTERRUPTED" not in told
        await caller.type("Go on.")
        await there.llm.request(2)
        assert there.llm.asked[1].chat == [
            ("user", "Count."),
            ("assistant", "One two three four five six."),
            ("user", "Go on."),
        ]


async def test_a_backchannel_over_a_reply_is_told_as_a_transcript_and_answered_by_nobody() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 2.0
        there.llm.answers.append(Answer("One two three four five six."))
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.type("Count.")
        await caller.expect("reply_audio")
        stream.partial("mhm")
        stream.final("Mhm.")
        await caller.expect("transcript", lambda m: m.transcript.final)
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert caller.audio(1) == ramp(2 * RATE_HZ)
        await caller.type("Go on.")
        await there.llm.request(2)
        assert [content for _, content in there.llm.asked[1].chat][::2] == ["Count.", "Go on."]


async def test_the_echo_of_a_reply_is_answered_by_nobody() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 2.0
        there.tts.tells_words = True
        there.llm.answers.append(Answer("One two three four five six."))
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.type("Count.")
        await caller.expect("reply_audio", lambda m: m.reply_audio.offset >= RATE_HZ)
        stream.partial("one two th")
        stream.final("one two three")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert caller.audio(1) == ramp(2 * RATE_HZ)
        assert len(there.llm.asked) == 1


async def test_a_protected_greeting_is_stopped_by_the_client_alone() -> None:
    async with lab(greeting="This call is recorded.", turn_greeting_protected=True, then_works=False) as there:
        there.tts.seconds = lambda text: 1.0
        caller = await there.call()
        stream = await there.asr.stream()
        await caller.expect("reply_audio")
        stream.final("I do not agree.")
        await caller.expect("transcript")
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "This call is recorded."
        assert (await caller.turn(TurnEvent.TURN_ENDED)).text == "I do not agree."
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        other = await there.call()
        await other.expect("reply_audio")
        await other.send(interrupt=pb.Interrupt())
        await other.turn(TurnEvent.REPLY_INTERRUPTED, 1)


async def test_a_report_that_amends_the_history_is_told() -> None:
    async with lab(playout_lead_ms=2_000) as there:
        there.tts.seconds = lambda text: 4
        there.llm.answers.append(Answer("One two three four five six seven eight nine ten."))
        caller = await there.call()
        await caller.type("Count.")
        await caller.expect("reply_audio", lambda m: m.reply_audio.offset >= 24_000)
        await caller.send(playout=pb.PlayoutReport(reply=1, samples_played=32_000))
        await caller.send(interrupt=pb.Interrupt())
        cut = await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)
        await caller.send(playout=pb.PlayoutReport(reply=1, samples_played=32_000, final=True))
        await caller.send(playout=pb.PlayoutReport(reply=1, samples_played=8_000, final=True))
        await caller.type("Go on.")
        await there.llm.request(2)
        events = [m.turn for m in caller.of("turn") if m.turn.kind == TurnEvent.REPLY_TRUNCATED]
        told = events[-1].heard_text if events else cut.heard_text
        assert [content for role, content in there.llm.asked[1].chat if role == "assistant"] == [told]
