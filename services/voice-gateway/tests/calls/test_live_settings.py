"""Settings change under a running gateway: new calls get the new ones, running calls keep theirs."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, lab
from serving.settings import BadSettings
from voice_gateway.app.live_settings import LiveSettings
from voice_gateway.config import Settings
from voice_workflow.v1 import voice_workflow_pb2 as pb


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The live file as the gateway starts."""
    path = tmp_path / "live.yaml"
    path.write_text("LLM_SYSTEM_PROMPT: Be kind.\nLLM_TEMPERATURE: 0.25\n")
    return path


def replace(file: Path, text: str) -> None:
    """As the kubelet does it: never half a file."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)


def remove(file: Path) -> None:
    """Somebody took the file away."""
    file.unlink()


async def config(there: Lab) -> dict[str, str]:
    """What /readyz says of the file; the pod is ready whatever it says."""
    status, page = await there.get("/readyz")
    assert status == 200
    found: dict[str, str] = json.loads(page)["config"]
    return found


async def until_taken(there: Lab, before: dict[str, str]) -> None:
    """Until another file is taken, or this one refused."""

    async def differs() -> float:
        return float(await config(there) != before)

    await there.eventually(differs, 1)


async def asked(there: Lab, caller: Any, n: int) -> tuple[str, float, int]:
    """Prompt, temperature and length of the chat of the nth request, which `caller` causes."""
    await caller.type("What now?")
    body = (await there.llm.request(n)).body
    await caller.turn(pb.TurnEvent.REPLY_ENDED, reply=sum(m.turn.kind == 3 for m in caller.of("turn")))
    prompt = body["messages"][0]["content"]
    return prompt, body["temperature"], len(body["messages"])


async def test_the_next_call_gets_the_new_prompt_and_the_running_one_keeps_the_old(file: Path) -> None:
    async with lab(gateway_live_file=file, then_works=False) as there:
        running = await there.call()
        assert (await asked(there, running, 1))[:2] == ("Be kind.", 0.25)
        before = await config(there)
        assert (len(before["taken"]), before["refused"]) == (12, "")
        replace(file, "LLM_SYSTEM_PROMPT: Be brief.\nLLM_TEMPERATURE: 1.5\nTTS_VOICE: Ada\n")
        await until_taken(there, before)
        fresh = await there.call()
        assert (await asked(there, fresh, 2))[:2] == ("Be brief.", 1.5)
        assert (await there.tts.phrase(2)).voice == "Ada"
        assert (await asked(there, running, 3))[:2] == ("Be kind.", 0.25)
        info = await fresh.stub.GetServerInfo(pb.GetServerInfoRequest())
        assert info.voice == "Ada"


async def test_a_bad_file_is_refused_and_shown_and_a_good_one_is_taken_again(file: Path) -> None:
    async with lab(gateway_live_file=file, then_works=False) as there:
        before = await config(there)
        replace(file, "LLM_TEMPERATURE: 7\nGATEWAY_PORT: 1\nLLM_SYSTEM_PROMPT: Be rude.\n")
        await until_taken(there, before)
        refused = await config(there)
        assert refused["taken"] == before["taken"]
        assert "LLM_TEMPERATURE: " in refused["refused"]
        assert "GATEWAY_PORT: can't change while the gateway runs" in refused["refused"]
        await there.eventually(lambda: there.metric("voice_config_refused"), 1)
        assert (await asked(there, await there.call(), 1))[:2] == ("Be kind.", 0.25)
        replace(file, "LLM_TEMPERATURE: 0.75\n")
        await until_taken(there, refused)
        assert (await config(there))["refused"] == ""
        await there.eventually(lambda: there.metric("voice_config_refused"), 0)
        assert (await asked(there, await there.call(), 2))[1] == 0.75


async def test_a_file_that_goes_away_is_told_and_its_settings_stay(file: Path) -> None:
    async with lab(gateway_live_file=file, then_works=False) as there:
        before = await config(there)
        remove(file)
        await until_taken(there, before)
        gone = await config(there)
        assert (gone["taken"], gone["refused"]) == (
            before["taken"],
            f"{file} can't be read (No such file or directory)",
        )
        assert (await asked(there, await there.call(), 1))[:2] == ("Be kind.", 0.25)


async def test_limits_endpointing_and_deadlines_of_new_calls_follow_the_file(file: Path) -> None:
    async with lab(gateway_live_file=file, gateway_goaway_before_s=0) as there:
        before = await config(there)
        replace(
            file,
            "GATEWAY_MAX_SESSIONS: 1\nGATEWAY_MAX_SESSION_S: 77\nASR_STOP_HISTORY_MS: 640\nASR_LANGUAGE: de-DE\n"
            "LLM_FIRST_TOKEN_TIMEOUT_S: 0.05\nGREETING: Good day.\nTURN_MAX_S: 33\n",
        )
        await until_taken(there, before)
        caller = there.caller()
        started = await caller.start()
        assert (started.limits.max_session_s, started.limits.max_turn_s) == (77, 33)
        asr = (await there.asr.stream()).config.config
        assert (asr.endpointing_config.stop_history, asr.language_code) == (640, "de-DE")
        assert (await there.tts.phrase()).text == "Good day."
        late = there.caller()
        await late.send(start=pb.SessionStart())
        await late.over()
        assert "all 1 calls of this gateway are taken" in late.sentence
        there.llm.answers.append(type(there.llm.usual)("", "hang"))
        await caller.turn(pb.TurnEvent.REPLY_ENDED)
        await caller.type("Hello?")
        assert "within 0.05 s" in (await caller.error(pb.Error.LLM_TIMEOUT)).message
        await caller.hang_up()
        before = await config(there)
        replace(file, "LOG_LEVEL: INFO\n")
        await until_taken(there, before)


async def test_a_running_call_that_comes_back_is_told_its_own_limits(file: Path) -> None:
    async with lab(gateway_live_file=file) as there:
        first = there.caller(numbered=True)
        token = (await first.start()).resume_token
        first.cancel()
        await first.over()
        before = await config(there)
        replace(file, "GATEWAY_MAX_SESSION_S: 77\n")
        await until_taken(there, before)
        back = there.caller()
        started = await back.start(resume=pb.Resume(token=token, last_server_seq=0))
        assert (started.resumed, started.limits.max_session_s) == (True, 3600)
        await back.hang_up()


def test_a_gateway_does_not_start_without_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"^GATEWAY_LIVE_FILE: .*live.yaml can't be read \(No such file"):
        LiveSettings(Settings(gateway_live_file=tmp_path / "live.yaml"))


def test_a_gateway_that_starts_with_a_bad_line_serves_with_the_good_ones(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replace(file, "LLM_TEMPERATURE: hot\nLLM_MAX_TOKENS: 9\nOF_A_NEWER_GATEWAY: 1\n")
    live = LiveSettings(Settings(gateway_live_file=file)).now
    assert (live.settings.llm_temperature, live.settings.llm_max_tokens, live.taken) == (0.5, 9, "")
    assert "LLM_TEMPERATURE: Input should be a valid number" in live.refused
    assert "OF_A_NEWER_GATEWAY: is no setting" in live.refused
    assert live.refused in caplog.text


def test_the_log_level_follows_the_file_and_what_is_logged_names_no_value(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        live = LiveSettings(Settings(gateway_live_file=file))
        replace(file, "LOG_LEVEL: WARNING\nLLM_SYSTEM_PROMPT: Nobody may know this.\n")
        live.look()
        assert logging.getLogger().level == logging.WARNING
        assert "LOG_LEVEL, LLM_TEMPERATURE, LLM_SYSTEM_PROMPT" in caplog.text
        assert "Nobody may know" not in caplog.text
