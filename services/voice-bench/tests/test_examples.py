"""Do the examples run as they stand? Each as a program, against the stack of `make run`."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from pcm import Resampler, read_wav, write_wav
from voice_bench.demo.script import RATE_HZ, spoken
from voice_bench.stack import Stack, running
from voice_bench.stack_config import Part, embedded, scripted

EXAMPLES = Path(__file__).parents[3] / "examples"
QUESTION = "What is seven times eight?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running(embedded()) as found:
        yield found


NODE = Path(sys.executable).with_name("node")
"""scripts/npm.sh puts it there."""


async def run(name: str, *arguments: str) -> str:
    program = await asyncio.create_subprocess_exec(
        NODE if name.endswith(".mjs") else sys.executable,
        EXAMPLES / name,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await asyncio.wait_for(program.communicate(), 40)
    assert program.returncode == 0, stderr.decode()
    return stdout.decode()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_typed_turn_is_answered_in_text_and_sound(stack: Stack, tmp_path: Path) -> None:
    out = tmp_path / "answer.wav"
    assert "fifty six" in await run("01_typed_turn.py", stack.target, QUESTION, str(out))
    assert read_wav(out).duration_s > 0.5


@pytest.mark.asyncio(loop_scope="module")
async def test_the_contract_alone_serves_another_language(stack: Stack, tmp_path: Path) -> None:
    out = tmp_path / "answer.pcm"
    assert "fifty six" in await run("06_grpc.mjs", stack.target, QUESTION, str(out))
    assert out.stat().st_size > 0.5 * 2 * RATE_HZ


@pytest.mark.asyncio(loop_scope="module")
async def test_sdks_of_openai_hold_a_call(stack: Stack, tmp_path: Path) -> None:
    web, out = f"127.0.0.1:{stack.port(Part.GATEWAY, 'web')}/v1", tmp_path / "answer"
    (line,) = await spoken(stack.speech_target, [QUESTION], 0)
    resampler = Resampler(RATE_HZ, 24_000)
    write_wav(tmp_path / "question.wav", [resampler.push(line.clip.pcm16) + resampler.flush()], 24_000)
    said = await run("10_openai_realtime.py", f"http://{web}", str(tmp_path / "question.wav"), str(out))
    assert said.splitlines() == [f"heard: {QUESTION}", "reply: Seven times eight is fifty six."]
    assert read_wav(out).duration_s > 0.5
    said = await run("11_openai_agents.mjs", f"ws://{web}/realtime", "What's the weather in Paris?", str(out))
    assert said.splitlines() == ["called: get_weather Paris", "reply: City: Paris, degrees: 21."]
    assert out.stat().st_size > 0.5 * 2 * 24_000


@pytest.mark.asyncio(loop_scope="module")
async def test_a_reply_is_stopped(stack: Stack) -> None:
    assert "stopped after" in await run("03_interrupt.py", stack.target, "Tell me a story.", "0.5")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_function_is_called_and_its_result_is_spoken_of(stack: Stack) -> None:
    said = await run("05_tools.py", stack.target, "What's the weather in Paris?")
    assert said.splitlines() == ["called: get_weather {'city': 'Paris'}", "reply: City: Paris, degrees: 21."]
    assert "open" in await run("05_tools.py", stack.target, "Open the door of floor 3, please.")


@pytest.mark.parametrize("name", ["02_recording.py", "04_push_to_talk.py", "07_websocket.py"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_recording_is_heard_and_answered(stack: Stack, name: str, tmp_path: Path) -> None:
    websocket = f"ws://127.0.0.1:{stack.port(Part.GATEWAY, 'web')}/v1/converse"
    (line,) = await spoken(stack.speech_target, [QUESTION], 0)
    path = tmp_path / "question.wav"
    write_wav(path, [line.clip.pcm16], RATE_HZ)
    said = await run(name, websocket if "websocket" in name else stack.target, str(path))
    assert "heard: " in said
    assert "reply: " in said


@pytest.mark.asyncio(loop_scope="module")
async def test_a_recording_is_transcribed_over_a_plain_websocket(stack: Stack) -> None:
    recording = Path(os.environ["VOICE_AUDIO"]) / "goforward.wav"
    url = f"ws://127.0.0.1:{stack.port(Part.GATEWAY, 'web')}/v1/transcribe"
    *partials, final = (await run("09_transcribe.py", url, str(recording))).splitlines()
    assert partials
    assert all(line.startswith("… ") for line in partials)
    assert re.sub("[^a-z ]", "", final.partition(" s: ")[2].lower()) == "go forward ten meters"


@pytest.mark.asyncio(loop_scope="function")
async def test_the_scripted_engine_is_a_mock_for_clients_of_transcription(tmp_path: Path) -> None:
    lines, tones = tmp_path / "lines.txt", tmp_path / "tones.wav"
    lines.write_text("turn left\nstop here now\n", encoding="utf-8")
    tone = (np.where(np.arange(8_000) % 2, -8_000, 8_000)).astype("<i2").tobytes()
    write_wav(tones, [tone + bytes(24_000) + tone + bytes(24_000)], 16_000)
    config = scripted()
    async with running(replace(config, speech={**config.speech, "SCRIPT_LINES": str(lines)})) as mock:
        url = f"ws://127.0.0.1:{mock.port(Part.GATEWAY, 'web')}/v1/transcribe"
        said = (await run("09_transcribe.py", url, str(tones))).splitlines()
    finals = [line.partition(" s: ")[2] for line in said if not line.startswith("… ")]
    assert finals == ["turn left", "stop here now"]
    assert "… turn left" in said


@pytest.mark.asyncio(loop_scope="module")
async def test_the_screen_of_voice_talk_shows_a_spoken_call(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES.parent / "scripts"))
    talk_picture: Any = import_module("talk_picture")
    lines = await spoken(stack.speech_target, [QUESTION, "Tell me a joke."], 0)
    async with asyncio.timeout(60):
        shown = talk_picture.svg(await talk_picture.talk(stack.target, lines)).replace("&#160;", " ")
    for words in ("connected", ">you", ">reply", "heard after", "turn end", "first token", "▸"):
        assert words in shown


def test_the_page_lists_every_example() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in page for path in EXAMPLES.glob("[0-9]*"))


def test_every_example_is_short() -> None:
    long = {path.name: lines for path in EXAMPLES.glob("[0-9]*") if (lines := len(path.read_text().splitlines())) >= 60}
    assert not long, f"60 lines and more: {long}"
