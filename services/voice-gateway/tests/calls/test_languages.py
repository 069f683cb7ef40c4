"""What does a caller's language change, and which languages are refused?"""

from pathlib import Path

import grpc
import pytest
from fake_llm import Answer
from fake_riva import ramp
from lab import Lab, lab
from voice_gateway.config_languages import built_in
from voice_workflow.v1 import voice_workflow_pb2 as pb
from voice_workflow.v1.voice_workflow_pb2_grpc import VoiceGatewayStub

TurnEvent = pb.TurnEvent
GERMAN = built_in().find("de-DE")


async def refusal(there: Lab, language: str) -> str:
    """The sentence of a start that is refused as not served."""
    caller = there.caller()
    await caller.send(start=pb.SessionStart(language=language))
    await caller.over()
    assert caller.code is grpc.StatusCode.UNIMPLEMENTED, caller.code
    return caller.sentence


async def served(there: Lab) -> list[str]:
    """What GetServerInfo lists."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{there.grpc_port}") as channel:
        info: pb.ServerInfo = await VoiceGatewayStub(channel).GetServerInfo(pb.GetServerInfoRequest())
        return list(info.languages)


# --------------------------------------------------------------------------------------- what a language selects


async def test_the_language_of_a_call_selects_recognition_voice_prompt_and_apology(tmp_path: Path) -> None:
    file = tmp_path / "languages.yaml"
    file.write_text("de-DE: {voice: Ute, asr_model: parakeet-de, greeting: Servus!}")
    async with lab(
        gateway_languages_file=file, riva_model="parakeet-en", tts_voice="Ada", llm_apology="Oops.", then_works=False
    ) as there:
        there.llm.answers.append(Answer(status=503))
        caller = await there.call(language="DE")
        config = (await there.asr.stream()).config.config
        assert (config.language_code, config.model) == ("de-DE", "parakeet-de")
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "Servus!"
        await caller.type("Hallo?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert caller.text(2) == GERMAN.apology
        assert {(phrase.voice, phrase.language) for phrase in there.tts.spoken} == {("Ute", "de-DE")}
        assert there.llm.asked[0].body["messages"][0] == {"role": "system", "content": GERMAN.system_prompt}


async def test_a_caller_without_a_language_gets_what_the_settings_say() -> None:
    async with lab(riva_model="parakeet-en", tts_voice="Ada", llm_system_prompt="Sell flowers.") as there:
        caller = await there.call()
        config = (await there.asr.stream()).config.config
        assert (config.language_code, config.model) == ("en-US", "parakeet-en")
        await caller.type("Hello?")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert (there.tts.spoken[0].voice, there.tts.spoken[0].language) == ("Ada", "en-US")
        assert there.llm.asked[0].body["messages"][0]["content"] == "Sell flowers."


async def test_what_a_caller_asks_for_wins_over_the_language() -> None:
    async with lab(greeting="Hi.", then_works=False) as there:
        caller = await there.call(language="de", voice="Bert", system_prompt="Kurz.", greeting="Na?")
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "Na?"
        await caller.type("Hallo?")
        await caller.turn(TurnEvent.REPLY_ENDED, 2)
        assert {phrase.voice for phrase in there.tts.spoken} == {"Bert"}
        assert there.llm.asked[0].body["messages"][0]["content"] == "Kurz."


async def test_a_deployment_that_greets_greets_each_caller_in_their_language() -> None:
    async with lab(greeting="Welcome to Acme.", then_works=False) as there:
        one, other = await there.call(), await there.call(language="de-DE")
        assert (await one.turn(TurnEvent.REPLY_ENDED, 1)).text == "Welcome to Acme."
        assert (await other.turn(TurnEvent.REPLY_ENDED, 1)).text == GERMAN.greeting


async def test_the_words_of_the_language_keep_a_turn_open() -> None:
    async with lab(turn_incomplete_silence_s=30, turn_preemptive=False) as there:
        there.tts.seconds = lambda text: 0.3
        caller = await there.call(language="de-DE")
        stream = await there.asr.stream()
        await caller.say(ramp(3_200))
        stream.final("Ich möchte zwei und")
        await caller.expect("transcript")
        other = await there.call()
        await other.type("Hello?")
        await other.turn(TurnEvent.REPLY_ENDED, 1)  # takes six times the silence that ends a turn
        stream.final("drei Karten.")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert there.llm.asked[1].chat == [("user", "Ich möchte zwei und drei Karten.")]


# ---------------------------------------------------------------------------------- which languages are refused


async def test_a_language_that_recognition_lacks_is_refused_with_those_it_has() -> None:
    async with lab(asr_has=["en-US", "de-DE"], tts_has=["en-US", "de-DE", "es-US"]) as there:
        assert await refusal(there, "es-US") == (
            "es-US is not served here, because speech recognition has only en-US, de-DE; "
            "send one of en-US, de-DE as the language, or none for en-US"
        )


async def test_a_language_that_synthesis_lacks_is_refused_with_those_it_has() -> None:
    async with lab(asr_has=["en-US", "de-DE", "hi-IN"], tts_has=["en-US", "de-DE"]) as there:
        assert await refusal(there, "hi") == (
            "hi-IN is not served here, because speech synthesis has only en-US, de-DE; "
            "send one of en-US, de-DE as the language, or none for en-US"
        )


async def test_a_language_is_served_whatever_its_case_and_from_another_country() -> None:
    async with lab(asr_has=["en-US", "de-DE"], tts_has=["en-US", "DE-DE"]) as there:
        for tag in ("de", "DE-de", "de-AT", "de_CH"):
            caller = await there.call(language=tag)
            await caller.type("Hallo?")
            await caller.turn(TurnEvent.REPLY_ENDED, 1)
            assert there.tts.spoken[-1].language == "DE-DE"
            await caller.hang_up()
        assert {stream.config.config.language_code for stream in there.asr.listened} == {"de-DE"}


async def test_a_language_that_nobody_wrote_down_is_served_where_the_backends_have_it() -> None:
    async with lab(asr_has=["en-US", "ja-JP"], tts_has=["en-US", "ja-JP"], greeting="Hi.", then_works=False) as there:
        caller = await there.call(language="ja-JP")
        assert (await there.asr.stream()).config.config.language_code == "ja-JP"
        assert (await caller.turn(TurnEvent.REPLY_ENDED, 1)).text == "Hi."
        assert await served(there) == ["en-US", "ja-JP"]


async def test_a_voice_that_the_operator_names_for_a_language_is_trusted(tmp_path: Path) -> None:
    file = tmp_path / "languages.yaml"
    file.write_text("es-US: {voice: Polyglot}")
    async with lab(asr_has=["en-US", "es-US"], tts_has=["en-US"], gateway_languages_file=file) as there:
        caller = await there.call(language="es")
        await caller.type("¿Hola?")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert (there.tts.spoken[0].voice, there.tts.spoken[0].language) == ("Polyglot", "es-US")


async def test_nobody_is_refused_while_the_backends_do_not_tell() -> None:
    async with lab() as there:
        caller = await there.call(language="ja-JP")
        assert (await there.asr.stream()).config.config.language_code == "ja-JP"
        await caller.type("Hello?")
        await caller.turn(TurnEvent.REPLY_ENDED, 1)
        assert await served(there) == ["en-US"]


async def test_the_deployments_own_language_is_never_refused() -> None:
    async with lab(asr_has=["fr-FR"], tts_has=["fr-FR"]) as there:
        for tag in ("", "en-US", "en"):
            await (await there.call(language=tag)).hang_up()
        assert await served(there) == ["en-US", "fr-FR"]


async def test_a_language_that_the_servers_learn_later_is_served_then() -> None:
    async with lab(asr_has=["en-US"], tts_has=["en-US", "de-DE"], gateway_probe_every_s=0.01) as there:
        assert "speech recognition has only en-US" in await refusal(there, "de-DE")
        there.asr.languages = ["en-US", "de-DE"]

        async def languages() -> float:
            return len(await served(there))

        await there.eventually(languages, 2)
        await (await there.call(language="de-DE")).hang_up()


async def test_server_info_lists_what_both_backends_have() -> None:
    async with lab(asr_has=["en-US", "es-US", "de-DE"], tts_has=["en-US", "de-DE", "hi-IN"]) as there:
        assert await served(there) == ["en-US", "de-DE"]


@pytest.mark.parametrize("language", ["de-DE\n", "x" * 129])
async def test_a_language_that_is_none_is_a_bad_request(language: str) -> None:
    async with lab(asr_has=["en-US"]) as there:
        caller = there.caller()
        await caller.send(start=pb.SessionStart(language=language))
        await caller.over()
        assert caller.code is grpc.StatusCode.INVALID_ARGUMENT
        assert "language" in caller.sentence


async def test_the_language_of_a_running_call_stays() -> None:
    async with lab(asr_has=["en-US", "de-DE"], tts_has=["en-US", "de-DE"]) as there:
        caller = await there.call(language="en-US")
        await caller.send(update=pb.SessionUpdate(language="de-DE"))
        assert "start a new session" in (await caller.error(pb.Error.UNSUPPORTED)).message


async def test_only_an_operator_who_lets_them_lets_callers_choose_a_language() -> None:
    async with lab(asr_has=["en-US", "de-DE"], tts_has=["en-US", "de-DE"], caller_may_set="voice") as there:
        caller = there.caller()
        await caller.send(start=pb.SessionStart(language="de-DE"))
        await caller.over()
        assert caller.code is grpc.StatusCode.PERMISSION_DENIED
        assert "language is chosen by the operator" in caller.sentence
        await (await there.call(language="EN")).hang_up()


# ------------------------------------------------------------------------------------------------------ hotwords


async def test_hotwords_of_deployment_and_call_reach_recognition_together() -> None:
    async with lab(asr_hotwords="Acme: 40, New York, parakeet: 10") as there:
        await there.call(hotwords=[pb.Hotword(phrase="Parakeet", boost=30), pb.Hotword(phrase="Riva")])
        contexts = (await there.asr.stream()).config.config.speech_contexts
        assert [(list(context.phrases), context.boost) for context in contexts] == [
            (["Parakeet"], 30), (["Riva"], 0), (["Acme"], 40), (["New York"], 0),
        ]  # fmt: skip
        await there.call()
        contexts = (await there.asr.stream(2)).config.config.speech_contexts
        assert [list(context.phrases) for context in contexts] == [["Acme"], ["New York"], ["parakeet"]]
