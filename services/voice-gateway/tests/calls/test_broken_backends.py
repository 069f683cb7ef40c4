"""What is a caller told when a backend dies, hangs or lies? Which one, and what to do."""

import grpc
import pytest
from fake_llm import Answer
from fake_riva import ramp
from lab import Lab, lab
from voice_workflow.v1 import voice_workflow_pb2 as pb

TurnEvent = pb.TurnEvent
APOLOGY = "Sorry, something went wrong. Please ask me again."


async def up(there: Lab, name: str, value: float) -> None:
    """Wait for a probe's result."""
    await there.eventually(lambda: there.metric(f'voice_backend_up{{backend="{name}"}}'), value)


@pytest.mark.parametrize("name", ["asr", "llm", "tts"])
async def test_a_backend_that_is_down_refuses_calls_then_unreadies_the_pod_and_both_heal(name: str) -> None:
    async with lab(gateway_probe_every_s=0.05, gateway_down_after_s=0.3) as there:
        backend = getattr(there, name)
        await up(there, name, 1)
        assert (await there.get("/readyz"))[0] == 200
        await backend.stop()
        await up(there, name, 0)
        caller = there.caller()
        await caller.send(start=pb.SessionStart())
        await caller.over()
        assert caller.code is grpc.StatusCode.UNAVAILABLE
        assert f"{name} can't be reached right now; try again" in caller.sentence
        assert int(caller.trailer["retry-after-ms"]) > 0
        await there.eventually(lambda: there.status("/readyz"), 503)
        assert name in (await there.get("/readyz"))[1]
        assert (await there.get("/livez"))[0] == 200
        assert (await there.get("/readyz/pod"))[0] == 200, "somebody has to tell callers"
        await backend.start()
        await there.eventually(lambda: there.status("/readyz"), 200)


async def test_a_backend_that_is_down_from_the_start_refuses_calls() -> None:
    async with lab(down=("llm",), gateway_probe_every_s=0.05, then_works=False) as there:
        await up(there, "llm", 0)
        caller = there.caller()
        await caller.send(start=pb.SessionStart())
        await caller.over()
        assert caller.code is grpc.StatusCode.UNAVAILABLE
        assert "llm can't be reached right now" in caller.sentence
        status, page = await there.get("/readyz/pod")
        assert (status, "llm" in page) == (503, True), "a pod that never met a backend may have wrong settings"


async def test_recognition_that_refuses_its_streams_ends_the_call_with_its_reason() -> None:
    async with lab(asr_outage_s=0.5) as there:
        there.asr.refuses = grpc.StatusCode.UNAVAILABLE
        caller = await there.call()
        error = await caller.error(pb.Error.ASR_UNAVAILABLE)
        assert (error.fatal, error.retryable) == (True, True)
        assert await caller.over() == pb.SessionEnded.FAILED
        there.asr.refuses = None


async def test_settings_that_recognition_does_not_take_are_not_tried_again() -> None:
    async with lab() as there:
        there.asr.refuses = grpc.StatusCode.INVALID_ARGUMENT
        caller = await there.call(language="xx-XX")
        error = await caller.error(pb.Error.ASR_BROKEN)
        assert (error.fatal, error.retryable) == (True, False)
        assert "no more streams on purpose" in error.message
        assert await caller.over() == pb.SessionEnded.FAILED
        there.asr.refuses = None


@pytest.mark.parametrize("how", ["error", "end"])
async def test_recognition_that_dies_in_an_utterance_hears_it_again_from_the_last_final_on(how: str) -> None:
    async with lab() as there:
        caller = await there.call()
        first = await there.asr.stream()
        await caller.say(ramp(16_000))
        await first.heard(32_000)
        first.final("One.", processed_s=1.0)
        await caller.expect("transcript", lambda m: m.transcript.final)
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await caller.say(ramp(8_000, 16_000))
        await first.heard(48_000)
        first.partial("two", processed_s=1.5)
        await caller.expect("transcript", lambda m: m.transcript.text == "two")
        first.die() if how == "error" else first.close()
        second = await there.asr.stream(2)
        await caller.say(ramp(8_000, 24_000))
        assert await second.heard(32_000) == ramp(16_000, 16_000)
        second.final("Two three.", [("Two", 100, 400), ("three.", 500, 900)], processed_s=1.0)
        heard = (await caller.expect("transcript", lambda m: m.transcript.text == "Two three.")).transcript
        assert [(word.text, round(word.start_s, 2), round(word.end_s, 2)) for word in heard.words] == [
            ("Two", 1.1, 1.4),
            ("three.", 1.5, 1.9),
        ]
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[1].chat[-1] == ("user", "Two three.")
        assert not caller.of("error")


async def test_recognition_that_dies_after_the_last_audio_hears_it_again_all_the_same() -> None:
    async with lab() as there:
        caller = await there.call()
        first = await there.asr.stream()
        await caller.say(ramp(8_000))
        await first.heard(16_000)
        first.partial("hel")
        await caller.expect("transcript")
        first.die()
        assert await (await there.asr.stream(2)).heard(16_000) == ramp(8_000)


async def test_a_committed_turn_survives_the_death_of_recognition() -> None:
    async with lab() as there:
        caller = await there.call(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK)
        first = await there.asr.stream()
        await caller.say(ramp(8_000))
        first.partial("hel")
        await caller.expect("transcript")
        await caller.send(commit=pb.CommitTurn())
        await there.asr.changes.until(lambda: first.forced, "a forced end of utterance")
        first.die()
        second = await there.asr.stream(2)
        await there.asr.changes.until(lambda: second.forced, "a forced end of utterance on the new stream")
        assert bytes(second.audio) == ramp(8_000)
        second.final("Hello.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert there.llm.asked[0].chat == [("user", "Hello.")]


async def test_recognition_that_says_nothing_to_a_committed_turn_is_told_to_the_caller() -> None:
    async with lab(turn_max_lag_s=0.3) as there:
        caller = await there.call(turn_detection=pb.TURN_DETECTION_PUSH_TO_TALK)
        await caller.say(ramp(8_000))
        await caller.send(commit=pb.CommitTurn())
        error = await caller.error(pb.Error.ASR_TIMEOUT)
        assert (error.fatal, error.retryable) == (False, True)
        second = await there.asr.stream(2)
        await caller.say(ramp(1_600))
        await caller.send(commit=pb.CommitTurn())
        await there.asr.changes.until(lambda: second.forced, "a forced end of utterance")
        second.final("Hello again.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)


async def test_a_model_that_opens_and_sends_nothing_is_given_up_and_cancelled() -> None:
    async with lab(llm_first_token_timeout_s=0.2) as there:
        there.llm.answers.append(Answer("", "hang"))
        caller = await there.call()
        await caller.type("Hello?")
        error = await caller.error(pb.Error.LLM_TIMEOUT)
        assert (error.fatal, error.retryable) == (False, True)
        assert "within 0.2 s; try again" in error.message
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await there.llm.quiet()
        assert there.llm.asked[0].cancelled
        await caller.type("And now?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert caller.audio(2)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=503), pb.Error.LLM_UNAVAILABLE),
        (Answer(status=429), pb.Error.LLM_UNAVAILABLE),
        (Answer(status=404), pb.Error.LLM_BROKEN),
        (Answer(""), pb.Error.LLM_BROKEN),
        (Answer("", "garbage"), pb.Error.LLM_BROKEN),
        (Answer("", "error"), pb.Error.LLM_BROKEN),
    ],
    ids=["busy", "rate limited", "unknown model", "no text", "garbage", "error event"],
)
async def test_a_model_that_fails_is_told_and_the_next_turn_is_answered(
    answer: Answer, code: "pb.Error.Code.ValueType"
) -> None:
    async with lab() as there:
        there.llm.answers.append(answer)
        caller = await there.call()
        await caller.type("Hello?")
        assert not (await caller.error(code)).fatal
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == APOLOGY
        assert [phrase.text for phrase in there.tts.spoken] == ["Sorry, something went wrong.", "Please ask me again."]
        assert caller.audio(1)
        await caller.type("And now?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[1].chat == [("user", "Hello?"), ("assistant", APOLOGY), ("user", "And now?")]


async def test_a_model_that_dies_before_a_word_is_asked_once_more() -> None:
    async with lab() as there:
        there.llm.answers.append(Answer("", "die"))
        caller = await there.call()
        await caller.type("Hello?")
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "All right."
        assert [asked.chat for asked in there.llm.asked] == [[("user", "Hello?")]] * 2
        assert not caller.of("error")


async def test_a_model_that_dies_twice_before_a_word_is_told_and_apologised_for() -> None:
    async with lab() as there:
        there.llm.answers.extend([Answer("", "die")] * 2)
        caller = await there.call()
        await caller.type("Hello?")
        await caller.error(pb.Error.LLM_UNAVAILABLE)
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == APOLOGY
        await caller.type("And now?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[2].chat == [("user", "Hello?"), ("assistant", APOLOGY), ("user", "And now?")]


async def test_when_a_model_wants_to_be_asked_again_reaches_the_caller() -> None:
    async with lab() as there:
        there.llm.answers.append(Answer(status=429, headers={"Retry-After": "7"}))
        caller = await there.call()
        await caller.type("Hello?")
        error = await caller.error(pb.Error.LLM_UNAVAILABLE)
        assert (error.retryable, error.retry_after_s) == (True, 7.0)


async def test_an_operator_who_wants_no_apology_is_obeyed() -> None:
    async with lab(llm_apology="none") as there:
        there.llm.answers.append(Answer(status=503))
        caller = await there.call()
        await caller.type("Hello?")
        await caller.error(pb.Error.LLM_UNAVAILABLE)
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == ""
        await caller.type("And now?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[1].chat == [("user", "Hello?\nAnd now?")]
        assert [phrase.text for phrase in there.tts.spoken] == ["All right."]


async def test_a_caller_who_interrupts_the_apology_has_heard_only_what_was_played_of_it() -> None:
    async with lab() as there:
        there.tts.seconds = lambda text: 2.0
        there.llm.answers.append(Answer("This is known. And this", "die"))
        caller = await there.call()
        await caller.type("Hello?")
        await caller.expect("reply_audio")
        await caller.send(interrupt=pb.Interrupt())
        heard = (await caller.turn(TurnEvent.REPLY_INTERRUPTED, 1)).heard_text
        assert "This is known.".startswith(heard)


@pytest.mark.parametrize("then", ["die", "garbage", "error"])
async def test_what_a_model_said_before_it_died_is_spoken_and_remembered(then: str) -> None:
    async with lab() as there:
        there.llm.answers.append(Answer("This is known. And this", then))  # type: ignore[arg-type]
        caller = await there.call()
        await caller.type("Hello?")
        assert (await caller.expect("error")).error.message
        ended = await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert ended.text == f"This is known. And this {APOLOGY}"
        assert [phrase.text for phrase in there.tts.spoken][:2] == ["This is known.", "And this"]
        assert len(caller.audio(1)) == 4 * 2 * 960
        assert caller.text(1) == f"This is known. And this {APOLOGY}"
        await caller.type("Go on.")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert there.llm.asked[1].chat[1] == ("assistant", f"This is known. And this {APOLOGY}")


async def test_a_model_that_stops_in_the_middle_of_an_answer_is_given_up() -> None:
    async with lab(llm_token_timeout_s=0.2) as there:
        there.llm.answers.append(Answer("This is known. And", "hang"))
        caller = await there.call()
        await caller.type("Hello?")
        await caller.error(pb.Error.LLM_TIMEOUT)
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert caller.audio(1)


async def test_a_model_that_goes_away_between_turns_is_told_and_found_again() -> None:
    async with lab() as there:
        caller = await there.call()
        await caller.type("Hello?")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await there.llm.stop()
        await caller.type("Still there?")
        await caller.error(pb.Error.LLM_UNAVAILABLE)
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        await there.llm.start()
        await caller.type("And now?")
        await caller.turn(TurnEvent.REPLY_ENDED, 3)
        assert caller.audio(3)


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        ("silent", pb.Error.TTS_BROKEN, "no audio"),
        ("hang", pb.Error.TTS_TIMEOUT, "within 0.2 s; try again"),
        (grpc.StatusCode.UNAVAILABLE, pb.Error.TTS_UNAVAILABLE, "synthesis fails on purpose"),
        (grpc.StatusCode.INVALID_ARGUMENT, pb.Error.TTS_BROKEN, "synthesis fails on purpose"),
    ],
    ids=["no audio", "hangs", "unavailable", "refuses the voice"],
)
async def test_synthesis_that_fails_is_told_and_the_next_reply_is_heard(
    fault: object, code: "pb.Error.Code.ValueType", says: str
) -> None:
    async with lab(tts_first_audio_timeout_s=0.2) as there:
        there.tts.fault = fault  # type: ignore[assignment]
        caller = await there.call()
        await caller.type("Hello?")
        error = await caller.error(code)
        assert says in error.message
        assert not error.fatal
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        there.tts.fault = ""
        await caller.type("And now?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert caller.audio(2)


async def test_synthesis_that_goes_away_and_comes_back_is_used_again_in_the_same_call() -> None:
    async with lab(tts_first_audio_timeout_s=0.5) as there:
        caller = await there.call()
        await there.tts.stop()
        await caller.type("Hello?")
        await caller.error(pb.Error.TTS_UNAVAILABLE)
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        await there.tts.start()
        for n in range(2, 40):
            await caller.type("And now?")
            await caller.turn(TurnEvent.REPLY_ENDED, n)
            if caller.audio(n):
                return
        raise AssertionError("synthesis was not found again")


async def test_recognition_that_is_restarted_in_a_call_is_found_again_without_a_lost_word() -> None:
    async with lab() as there:
        caller = await there.call()
        first = await there.asr.stream()
        await caller.say(ramp(8_000))
        await first.heard(16_000)
        first.partial("hel")
        await caller.expect("transcript")
        await there.asr.stop()
        await caller.say(ramp(8_000, 8_000))
        await there.asr.start()
        assert await (await there.asr.stream(2)).heard(32_000) == ramp(16_000)
