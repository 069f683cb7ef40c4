"""The small tools, each as a process of its own against a server process."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pcm import Clip, silence, write_wav
from pcm.compressed import encode_file
from speech_server.cli.bench import summary
from speech_server.cli.client import line
from speech_server.cli.realtime_stream import Result
from speech_server.cli.verbs import CommandFailed

SETTINGS = {
    "SPEECH_HOST": "127.0.0.1",
    "SPEECH_GRPC_PORT": "0",
    "SPEECH_HTTP_PORT": "0",
    "SPEECH_ASR_ENGINE": "scripted",
    "SPEECH_TTS_ENGINE": "tone",
    "SPEECH_DRAIN_NOTICE_S": "0",
    "SPEECH_MAX_STREAMS": "5",
    "SCRIPT_TRANSCRIPT": "go forward ten meters",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "speech_server"], env={**os.environ, **SETTINGS}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr as log:
        ready = next(filter(None, (re.search(r"ready: gRPC (\d+)", said) for said in log)))
        yield f"127.0.0.1:{ready[1]}"
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audio") / "turn.wav"
    loud = b"\x00\x30\x00\xd0" * 8000
    write_wav(path, [silence(0.2, 16_000) + loud + silence(0.4, 16_000)], 16_000)
    return path


def tool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "speech_server", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_warmup_waits_until_the_server_serves_and_uses_both_services(server: str) -> None:
    done = tool("warmup", "--server", server)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("spoke ")
    assert "heard: go forward ten meters" in done.stdout


def test_the_client_writes_partials_and_finals_as_they_come(server: str, recording: Path, tmp_path: Path) -> None:
    tool("warmup", "--server", server)
    done = tool("client", str(recording), "--server", server, "--words")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [text.split(" s  ")[1] for text in lines if text.startswith("FINAL")] == ["go forward ten meters"]
    assert sum(text.startswith("PART") for text in lines) >= 2
    assert [text.split()[-1] for text in lines[-4:]] == ["go", "forward", "ten", "meters"]
    flac = tmp_path / "turn.flac"
    flac.write_bytes(encode_file(Clip(silence(0.5, 8_000), 8_000), "flac"))
    silent = tool("client", str(flac), "--server", server, "--pace", "0")
    assert silent.stdout.startswith("FINAL")
    assert silent.stdout.endswith(" s  \n")


def test_bench_says_how_late_results_are_and_counts_refusals(server: str, recording: Path) -> None:
    done = tool("bench", str(recording), "--server", server, "--count", "8", "--json")
    report = json.loads(done.stdout)
    assert report["streams"] == 8
    assert report["served"] == 5
    assert report["refused"] == 3
    assert 0 < report["first_partial_p95_ms"] < 2000
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["client", "missing.wav"], "can't read missing.wav"),
        (["client", __file__], "can't be decoded"),
        (["warmup", "--server", "127.0.0.1:1", "--wait", "0"], "the server does not serve after 0 s"),
        (["bench", "missing.wav"], "can't read missing.wav"),
        (["warmup", "--tls-ca", "missing.pem"], "can't read missing.pem"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments: list[str], sentence: str) -> None:
    done = tool(*arguments)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_refusal_is_told_with_the_servers_own_words() -> None:
    with pytest.raises(CommandFailed, match="RESOURCE_EXHAUSTED: full"):
        summary(["RESOURCE_EXHAUSTED: full"], 1.0, 1.0, 1.0)


def test_a_line_shows_when_what_and_word_times() -> None:
    final = Result(1.5, 1.4, True, "go on", 0.0, (("go", 0.1, 0.3), ("on", 0.4, 0.6)))
    assert line(final) == "FINAL    1.50 s  go on\n           0.10    0.30  go\n           0.40    0.60  on\n"
