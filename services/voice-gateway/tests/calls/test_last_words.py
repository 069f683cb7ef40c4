"""What does the gateway say by itself, and in which language? Warnings, goodbyes, and that it can't hear."""

import grpc
from fake_riva import ramp
from lab import Lab, lab
from voice_gateway.config_languages import built_in
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent
GERMAN, SPANISH, HINDI = (built_in().find(tag) for tag in ("de-DE", "es-US", "hi-IN"))


def spoken(there: Lab) -> str:
    """All that synthesis was asked for."""
    return " ".join(phrase.text for phrase in there.tts.spoken)


async def test_a_caller_is_warned_after_the_reply_that_the_call_ends_soon() -> None:
    async with lab(gateway_max_session_s=2.0, gateway_warn_before_s=1.9, gateway_goaway_before_s=1.9) as there:
        there.tts.seconds = lambda text: 0.5
        caller = await there.call(language="de-DE")
        await caller.type("Hallo?")
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "All right."
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 2)).text == GERMAN.call_warning
        assert spoken(there) == f"All right. {GERMAN.call_warning}"
        assert caller.audio(2)
        assert caller.of("go_away")[0].go_away.reason == pb.GoAway.MAX_DURATION
        assert await caller.over() == pb.SessionEnded.MAX_DURATION
        assert len(there.llm.asked) == 1


async def test_a_call_is_not_warned_that_is_never_longer_than_the_warning_or_wants_none() -> None:
    for before_s in (1, 0):
        async with lab(gateway_max_session_s=1, gateway_warn_before_s=before_s, then_works=False) as there:
            caller = await there.call()
            assert await caller.over() == pb.SessionEnded.MAX_DURATION
            assert not there.tts.spoken


async def test_a_silent_caller_is_asked_and_bidden_goodbye_in_their_language() -> None:
    async with lab(turn_idle_after_s=0.1, turn_idle_tries=1, then_works=False) as there:
        caller = await there.call(language="hi-IN")
        assert await caller.over() == pb.SessionEnded.IDLE
        assert spoken(there) == f"{HINDI.idle_prompt} {HINDI.goodbye}"
        assert caller.text(2) == HINDI.goodbye
        assert caller.audio(2)
        assert caller.of("ended")[0].ended.message == "nobody has spoken for a while"


async def test_a_caller_of_whom_recognition_brings_no_word_is_asked_again_in_their_language() -> None:
    async with lab(turn_max_lag_s=0.2) as there:
        caller = await there.call(language="de-DE", turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK)
        await caller.say(ramp(8_000))
        await caller.send(commit=pb.CommitTurn())
        error = await caller.error(pb.Error.ASR_TIMEOUT)
        assert not error.fatal
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == GERMAN.not_understood
        assert caller.audio(1)
        stream = await there.asr.stream(2)
        await caller.say(ramp(1_600))
        await caller.send(commit=pb.CommitTurn())
        await there.asr.changes.until(lambda: stream.forced, "a forced end of utterance")
        stream.final("Hallo.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[0].chat[1:] == [("assistant", GERMAN.not_understood), ("user", "Hallo.")]


async def test_a_caller_who_can_not_be_heard_any_more_is_told_in_their_language_before_the_call_ends() -> None:
    async with lab(asr_outage_s=0.2) as there:
        there.asr.refuses = grpc.StatusCode.UNAVAILABLE
        caller = await there.call(language="es-US")
        error = await caller.error(pb.Error.ASR_UNAVAILABLE)
        assert error.fatal
        assert await caller.over() == pb.SessionEnded.FAILED
        assert caller.code is grpc.StatusCode.OK
        assert caller.text(1) == SPANISH.cannot_hear
        assert caller.audio(1)
        assert spoken(there).replace(" ", "") == SPANISH.cannot_hear.replace(" ", "")
        there.asr.refuses = None


async def test_a_call_ends_all_the_same_where_no_voice_can_tell_that_nobody_is_heard() -> None:
    async with lab(asr_outage_s=0.2, tts_first_audio_timeout_s=0.3) as there:
        there.asr.refuses = grpc.StatusCode.UNAVAILABLE
        there.tts.fault = "hang"
        caller = await there.call()
        await caller.error(pb.Error.ASR_UNAVAILABLE)
        await caller.error(pb.Error.TTS_TIMEOUT)
        assert await caller.over() == pb.SessionEnded.FAILED
        there.asr.refuses = None
