"""When utterances end: endpointing, early signs, force_eou."""

from collections.abc import Awaitable, Callable

from speech_server.wire.riva_asr_pb2 import EndpointingConfig

from .caller import Caller, chunk, config, finals, hum, hush, pieces, results

CallServer = Callable[..., Awaitable[Caller]]


async def test_a_pause_shorter_than_stop_history_is_one_utterance(caller: Caller) -> None:
    synthesise = hum(0.4) + hush(0.15) + hum(0.4) + hush(0.3)
    assert len(finals(await caller.hear(config(), *pieces(synthesise)))) == 1


async def test_the_request_can_ask_for_a_longer_stop_history(caller: Caller) -> None:
    synthesise = pieces(hum(0.4) + hush(0.4) + hum(0.4) + hush(0.7))
    patient = config(endpointing_config=EndpointingConfig(stop_history=600))
    assert len(finals(await caller.hear(config(), *synthesise))) == 2
    assert len(finals(await caller.hear(patient, *synthesise))) == 1


async def test_absent_zero_and_negative_stop_history_mean_the_servers_own(call_server: CallServer) -> None:
    caller = await call_server(SCRIPT_STOP_HISTORY_MS="600")
    synthesise = pieces(hum(0.4) + hush(0.4) + hum(0.4) + hush(0.7))
    for said in (EndpointingConfig(), EndpointingConfig(stop_history=0), EndpointingConfig(stop_history=-1)):
        assert len(finals(await caller.hear(config(endpointing_config=said), *synthesise))) == 1


async def test_the_shorter_silence_brings_a_partial_of_stability_1_and_the_longer_the_final(caller: Caller) -> None:
    rules = EndpointingConfig(stop_history=500, stop_history_eou=200)
    heard = results(await caller.hear(config(endpointing_config=rules), *pieces(hum(0.6) + hush(0.6))))
    early = [result for result in heard if result.stability == 1.0]
    assert [result.is_final for result in early] == [False]
    assert 0.75 <= early[0].audio_processed <= 0.85
    assert heard[-1].is_final
    assert 1.05 <= heard[-1].audio_processed <= 1.15
    assert heard[-1].alternatives[0].transcript == early[0].alternatives[0].transcript


async def test_going_on_after_the_early_sign_keeps_the_utterance(caller: Caller) -> None:
    rules = EndpointingConfig(stop_history=500, stop_history_eou=200)
    synthesise = pieces(hum(0.4) + hush(0.3) + hum(0.4) + hush(0.6))
    heard = results(await caller.hear(config(endpointing_config=rules), *synthesise))
    assert [result.stability for result in heard].count(1.0) == 2
    assert [result.is_final for result in heard].count(True) == 1


async def test_without_the_shorter_silence_no_partial_has_stability_1(caller: Caller) -> None:
    heard = results(await caller.hear(config(), *pieces(hum(0.6) + hush(0.4))))
    assert all(result.stability == 0 for result in heard)


async def test_force_eou_ends_the_utterance_and_the_stream_goes_on(caller: Caller) -> None:
    forced = chunk(hum(0.1), force_eou="true")
    responses = await caller.hear(config(), *pieces(hum(0.5)), forced, *pieces(hum(0.5) + hush(0.4)))
    assert finals(responses) == ["caller 1 turn 1", " caller 1 turn 2"]


async def test_force_eou_works_with_empty_audio(caller: Caller) -> None:
    forced = chunk(b"", force_eou="true")
    heard = results(await caller.hear(config(), *pieces(hum(0.5)), forced, *pieces(hush(2))))
    assert [result.audio_processed for result in heard if result.is_final] == [0.5]


async def test_force_eou_in_silence_is_answered_by_an_empty_final(caller: Caller) -> None:
    assert finals(await caller.hear(config(), hush(0.5), chunk(b"", force_eou="true"), hush(0.5))) == [""]


async def test_any_other_runtime_configuration_is_passed_over(caller: Caller) -> None:
    messages = [chunk(one, force_eou="false", other="x") for one in pieces(hum(0.6) + hush(0.4))]
    assert len(finals(await caller.hear(config(), *messages))) == 1


async def test_an_utterance_that_never_ends_is_cut(call_server: CallServer) -> None:
    caller = await call_server(SPEECH_MAX_UTTERANCE_S="1")
    heard = finals(await caller.hear(config(), *pieces(hum(2.5))))
    assert [text.strip() for text in heard] == ["caller 1 turn 1", "caller 1 turn 2", "caller 1 turn 3"]


async def test_the_script_can_be_a_list_of_lines(call_server: CallServer, tmp_path: object) -> None:
    lines = f"{tmp_path}/lines.txt"
    with open(lines, "w", encoding="utf-8") as file:  # noqa: ASYNC230 - before anything runs
        file.write("good morning\n\nnine o'clock\n")
    caller = await call_server(SCRIPT_LINES=lines)
    synthesise = pieces((hum(0.5) + hush(0.4)) * 3)
    assert finals(await caller.hear(config(), *synthesise)) == ["good morning", " nine o'clock", " good morning"]
