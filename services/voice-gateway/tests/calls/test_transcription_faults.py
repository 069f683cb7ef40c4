"""What does a transcription client notice when recognisers die or fall behind, or when it pours in a file?"""

import asyncio
from functools import partial
from pathlib import Path

import grpc
import pytest
from fake_riva import FakeRiva, ramp
from lab import lab
from test_transcription import last_final
from transcriber import refusal, transcriber
from voice_gateway.app import call_config
from voice_gateway.edges.limits import Limits
from voice_gateway.edges.transcribe_ws import back_pressure


@pytest.mark.parametrize("when", ["speaking", "flushing"])
async def test_a_recogniser_that_dies_in_mid_word_is_replaced_and_no_word_is_lost_or_doubled(when: str) -> None:
    second = FakeRiva()
    await second.start()
    try:
        async with (
            lab(then_works=False, riva_asr_fallback_uri=f"127.0.0.1:{second.port}", gateway_probe_every_s=0.2) as there,
            transcriber(there) as client,
        ):
            await there.eventually(lambda: there.metric('voice_speech_servers{backend="asr",health="serving"}'), 2)
            await client.start(interim_ms=50)
            first = await there.asr.stream()
            await client.audio(ramp(8_000))
            await first.heard(16_000)
            first.final("One.", [("One.", 0, 300)], processed_s=0.3)
            await client.expect("final")
            first.partial("tw", processed_s=0.5)
            await client.expect("partial")
            if when == "flushing":
                await client.audio(ramp(8_000, 8_000))
                await client.say(type="end")
                await first.all_sent()
            await there.asr.stop()
            if when == "speaking":
                await client.audio(ramp(8_000, 8_000))
                await client.say(type="end")
            again = await second.stream()
            assert await again.all_sent() == ramp(11_200, 4_800), "all since the last final, once"
            again.final("Two three.", [("Two", 0, 300), ("three.", 350, 700)], processed_s=0.7)
            again.close()
            last, code = await client.ended()
            assert (last["reason"], code) == ("caller ended", 1000)
            assert [final["text"] for final in client.of("final")] == ["One.", "Two three."]
            assert client.of("final")[1]["start_s"] == 0.3
            assert not client.of("error")
            await there.asr.start()
    finally:
        await second.stop()


async def test_without_any_recogniser_nobody_is_let_in() -> None:
    async with lab(then_works=False, down=["asr"]) as there:
        status, sentence = await refusal(there)
        assert (status, sentence) == (503, "asr can't be reached right now; try again")


async def test_without_a_language_model_and_a_voice_streams_are_transcribed() -> None:
    async with lab(then_works=False, down=["llm", "tts"]) as there, transcriber(there) as client:
        await client.start()
        await client.audio(ramp(1_600))
        await client.say(type="end")
        await last_final(await there.asr.stream(), "One.", 0.1)
        assert (await client.ended())[1] == 1000


async def test_recognition_that_stays_away_ends_the_stream_with_an_error_that_says_to_try_again() -> None:
    async with lab(then_works=False, asr_outage_s=0.3) as there, transcriber(there) as client:
        await client.start()
        stream = await there.asr.stream()
        await client.audio(ramp(8_000))
        await stream.heard(16_000)
        await there.asr.stop()
        last, code = await client.ended()
        assert (last["type"], last["reason"], code) == ("ended", "failed", 1013)
        (error,) = client.of("error")
        assert (error["code"], error["retryable"]) == ("asr_unavailable", True)
        await there.asr.start()


async def test_what_a_recogniser_refuses_is_told() -> None:
    async with lab(then_works=False) as there:
        there.asr.refuses = grpc.StatusCode.NOT_FOUND
        async with transcriber(there, query="?model=unknown") as client:
            await client.audio(ramp(1_600))
            _, code = await client.ended()
            assert code == 1011
            assert (client.of("error")[0]["code"], client.of("error")[0]["retryable"]) == ("asr_broken", False)


async def test_a_file_that_is_poured_in_is_held_back_then_warned_of_and_heard_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_config, "Limits", partial(Limits, max_ahead_s=1.0))
    monkeypatch.setattr(back_pressure, "_WARN_AFTER_S", 0.1)
    async with lab(then_works=False) as there, transcriber(there) as client:
        await client.start()
        for first in range(0, 24_000, 1_600):
            await client.audio(ramp(1_600, first))
        await client.say(type="end")
        stream = await there.asr.stream()
        warning = await client.expect("warning")
        assert warning["code"] == "overloaded"
        assert "comes faster than it can be spoken (is it really 16000 Hz?)" in warning["message"]
        assert not stream.input_over
        assert await stream.all_sent() == ramp(24_000)
        stream.close()
        assert (await client.ended())[1] == 1000
        assert await there.metric('voice_transcriptions_held_back_total{reason="too fast"}') == 1


async def test_who_pours_on_for_too_long_is_told_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_config, "Limits", partial(Limits, max_ahead_s=0.5))
    async with lab(then_works=False, transcribe_max_held_back_s=0.2) as there, transcriber(there) as client:
        await client.start()
        pouring = asyncio.create_task(_pour(client.socket.send_bytes))
        last, code = await client.ended()
        assert (last["reason"], code) == ("failed", 4001)
        assert "for 0.2 s; the stream is ended" in client.of("error")[0]["message"]
        await pouring


async def _pour(send: "object") -> None:
    try:
        for _ in range(2_000):
            await send(bytes(8_000))  # type: ignore[operator]
    except ConnectionError:
        return


async def test_a_client_that_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_config, "Limits", partial(Limits, max_unread_s=0.3))
    async with lab() as there, transcriber(there, reads=False) as deaf:
        await deaf.say(type="start")
        stream = await there.asr.stream()
        for n in range(200):
            stream.final(f"{n} " * 20_000)
        await there.asr.changes.until(lambda: stream.over, "the end of the stream")
        await there.eventually(lambda: there.metric("voice_transcriptions_active"), 0)


async def test_of_streams_that_send_nothing_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_config, "Limits", partial(Limits, max_waiting_streams=2))
    async with (
        lab(then_works=False) as there,
        transcriber(there) as oldest,
        transcriber(there),
        transcriber(there) as newest,
    ):
        last, code = await oldest.ended()
        assert (last["code"], code) == ("refused", 1013)
        assert "transcription streams that have sent nothing yet are open" in last["message"]
        await newest.start()


async def test_a_flood_of_messages_is_read_slowly_and_told_in_a_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_config, "Limits", partial(Limits, messages_burst=20, errors_burst=25))
    async with lab(then_works=False) as there, transcriber(there) as client:
        await client.start()
        for _ in range(60):
            await client.socket.send_str("?")
        await client.say(type="end")
        stream = await there.asr.stream()
        await stream.all_sent()
        stream.close()
        assert (await client.ended())[1] == 1000
        assert 20 < len(client.of("warning")) < 40
        assert any(
            "messages a second came" in one["message"] or "not taken" in one["message"] for one in client.of("warning")
        )


async def test_recognition_far_behind_holds_the_client_back_and_warns_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(call_config, "Limits", partial(Limits, max_behind_s=0.5, max_behind_for_s=0.6))
    monkeypatch.setattr(back_pressure, "_WARN_AFTER_S", 0.1)
    async with lab(then_works=False, asr_outage_s=20) as there, transcriber(there) as client:
        await client.start()
        stream = await there.asr.stream()
        there.asr.refuses = grpc.StatusCode.UNAVAILABLE
        stream.die()
        await stream.ended()
        for first in range(0, 32_000, 3_200):
            await client.audio(ramp(3_200, first))
        assert "recognition is more than 0.5 s behind" in (await client.expect("warning"))["message"]
        last, code = await client.ended()
        assert (last["reason"], code) == ("failed", 1011)
        assert client.of("error")[0]["code"] == "asr_timeout"
        there.asr.refuses = None
