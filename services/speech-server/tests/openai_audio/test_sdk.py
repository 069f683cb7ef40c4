"""Does OpenAI's own package work, unmodified? The server and the client are programs of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import QUICK

CLIENT = Path(__file__).with_name("sdk_client.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the client got."""
    ports = tmp_path_factory.mktemp("sdk") / "ports.json"
    environment = {**QUICK, "SPEECH_PORTS_FILE": str(ports), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "speech_server"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            assert any("ready: gRPC" in line for line in server.stderr)
            base_url = f"http://127.0.0.1:{json.loads(ports.read_text())['http']}/v1"
            done = subprocess.run(
                [sys.executable, str(CLIENT), base_url], capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stderr
            yield json.loads(done.stdout)
        finally:
            server.terminate()


def test_the_client_loads_nothing_of_the_server(told: dict[str, Any]) -> None:
    assert told["loaded"] == []


def test_models_are_listed(told: dict[str, Any]) -> None:
    assert told["models"] == ["scripted-asr-streaming", "English-US"]


def test_transcriptions_come_in_every_format(told: dict[str, Any]) -> None:
    heard = told["transcriptions"]
    assert heard["json"].split()[0::2] == ["caller", "turn", "caller", "turn"]
    assert heard["text"].endswith("turn 2\n")
    assert heard["srt"].startswith("1\n00:00:0")
    assert heard["vtt"].startswith("WEBVTT")
    assert len(heard["words"]) == heard["logprobs"] == 8
    assert len(heard["segments"]) == 2
    assert heard["duration"] == pytest.approx(3.0, abs=0.01)
    assert heard["events"] == ["transcript.text.delta", "transcript.text.delta", "transcript.text.done"]
    assert heard["streamed"].endswith("turn 2")


def test_speech_can_be_played(told: dict[str, Any]) -> None:
    lasts_s = (5 + 5 + 2) * 0.06
    assert told["speech"]["seconds"] == {
        "wav": pytest.approx(lasts_s, abs=0.02),
        "opus": pytest.approx(lasts_s, abs=0.1),
        "pcm": pytest.approx(lasts_s, abs=0.02),
    }
    assert told["speech"]["mp3"] == "fff3"


def test_a_realtime_session_transcribes(told: dict[str, Any]) -> None:
    kinds = told["realtime"]["kinds"]
    assert kinds[:2] == ["session.created", "session.updated"]
    assert kinds.count("input_audio_buffer.speech_started") == 2
    assert [final.rpartition(" turn ")[2] for final in told["realtime"]["finals"]] == ["1", "2"]


def test_refusals_are_the_packages_own_exceptions(told: dict[str, Any]) -> None:
    status, message = told["refused"]["bad file"]
    assert (status, "not audio" in message) == (400, True)
    assert told["refused"]["no model"] == [404, "model_not_found"]
    assert told["refused"]["no voice"] == [400, "voice"]
