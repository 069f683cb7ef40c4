"""What does the `voice-gateway` command do? Run as a container runs it: settings in, signals, exit status out."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from fake_llm import FakeLlm
from fake_riva import FakeRiva
from raw_caller import Caller
from voice_gateway.config_table import described, table
from voice_workflow.v1 import voice_workflow_pb2 as pb
from waiting import LIMIT_S

COMMAND = [sys.executable, "-c", "from voice_gateway.app import main; main()"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


class Running:
    """The command, serving."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port

    async def ended(self) -> int:
        """Its exit status."""
        return await asyncio.wait_for(self.process.wait(), LIMIT_S)


@asynccontextmanager
async def serving(**environment: str) -> AsyncGenerator[Running, None]:
    """The command with backends of this test."""
    riva, llm = FakeRiva(), FakeLlm()
    await riva.start()
    await llm.start()
    here = {
        "GATEWAY_HOST": "127.0.0.1",
        "GATEWAY_PORT": "0",
        "GATEWAY_HTTP_PORT": "0",
        "GATEWAY_WEB_PORT": "0",
        "RIVA_HOST": "127.0.0.1",
        "RIVA_PORT": str(riva.port),
        "LLM_BASE_URL": f"http://127.0.0.1:{llm.port}/v1",
        "VAD": "none",
    }
    process = await asyncio.create_subprocess_exec(
        *COMMAND, env={**os.environ, **here, **environment}, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr
        async with asyncio.timeout(LIMIT_S):
            while not (found := re.search(rb"serving gRPC on port (\d+)", await process.stderr.readline())):
                assert process.returncode is None
        yield Running(process, int(found[1]))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await riva.stop()
        await llm.stop()


async def test_sigterm_lets_a_call_end_and_then_the_process_leaves() -> None:
    async with serving(GATEWAY_DRAIN_S="60") as gateway:
        caller = Caller(gateway.port)
        await caller.start()
        gateway.process.send_signal(signal.SIGTERM)
        assert (await caller.expect("go_away")).go_away.deadline_s == 60
        await caller.hang_up()
        assert await gateway.ended() == 0
        await caller.close()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_stops_at_once_and_still_says_why(second: signal.Signals) -> None:
    async with serving(GATEWAY_DRAIN_S="600") as gateway:
        caller = Caller(gateway.port)
        await caller.start()
        gateway.process.send_signal(signal.SIGTERM)
        await caller.expect("go_away")
        gateway.process.send_signal(second)
        assert await caller.over() == pb.SessionEnded.DRAINED
        assert await gateway.ended() == 0
        await caller.close()


def test_settings_are_printed_for_people_and_for_programs() -> None:
    assert run("settings").stdout == table() + "\n"
    assert json.loads(run("settings", "--json").stdout) == described()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"LLM_TEMPERATURE": "hot"}, "voice-gateway: bad settings: LLM_TEMPERATURE: "),
        (
            {"GATEWAY_LIVE_FILE": "/absent.yaml"},
            "bad settings: GATEWAY_LIVE_FILE: /absent.yaml can't be read",
        ),
    ],
)
def test_bad_settings_are_one_line_and_exit_1(environment: dict[str, str], sentence: str) -> None:
    ended = run(**environment)
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_model_that_is_not_here_is_named_with_the_command_that_fetches_it() -> None:
    ended = run(TURN_SCORER="smart-turn", TURN_SCORER_MODEL_FILE="/absent.onnx")
    assert ended.returncode == 1
    assert "there is no file /absent.onnx; run `voice-gateway models pull smart-turn`" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_the_model_is_pulled_where_the_setting_says_and_a_gateway_with_it_serves() -> None:
    pulled = run("models", "pull", "smart-turn")
    assert pulled.returncode == 0, pulled.stderr
    file = pulled.stdout.strip()
    assert run("models", "pull", "smart-turn", TURN_SCORER_MODEL_FILE=file).stdout.strip() == file
    async with serving(TURN_SCORER="smart-turn", TURN_SCORER_MODEL_FILE=file, VAD="silero") as gateway:
        caller = Caller(gateway.port)
        await caller.start()
        await caller.hang_up()
        await caller.close()


def test_an_unknown_argument_is_refused_instead_of_served() -> None:
    ended = run("serve-me")
    assert ended.returncode == 2
    assert "usage: voice-gateway" in ended.stderr
