"""What happens when the server can't start, or is told to end before it has? A sentence, a status, and no waiting."""

import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines.parakeet.fake_hub import REPO, REVISION, Hub, hub
from engines.parakeet.tiny import make_model
from speech_server.app import main

ROOT = Path(__file__).resolve().parents[3]
QUICK = {
    "SPEECH_HOST": "127.0.0.1",
    "SPEECH_GRPC_PORT": "0",
    "SPEECH_HTTP_PORT": "0",
    "SPEECH_ASR_ENGINE": "scripted",
    "SPEECH_TTS_ENGINE": "tone",
}
Said = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"SPEECH_ASR_ENGINE": "whisper"}, "SPEECH_ASR_ENGINE: Input should be 'moonshine', 'parakeet'"),
        ({"SPEECH_TTS_ENGINE": "festival"}, "SPEECH_TTS_ENGINE: Input should be 'espeak', 'kokoro'"),
        ({"SPEECH_GRPC_PORT": "high"}, "SPEECH_GRPC_PORT: Input should be a valid integer"),
        ({"SPEECH_ASR_ENGINE": "parakeet", "PARAKEET_PULL": "false"}, "run `speech-server models pull`"),
        ({"SPEECH_ASR_ENGINE": "parakeet", "PARAKEET_MODEL_PATH": "/nowhere"}, "There is no model folder /nowhere"),
        ({"SPEECH_ASR_ENGINE": "parakeet", "PARAKEET_MODEL_ID": "whisper"}, "PARAKEET_MODEL_ID 'whisper' is not known"),
        ({"SPEECH_ASR_ENGINE": "streaming"}, "STREAMING_MODEL_PATH"),
        ({"SPEECH_ASR_ENGINE": "streaming", "STREAMING_MODEL_PATH": "/nowhere"}, "There is no model folder /nowhere"),
        ({"SPEECH_TTS_ENGINE": "kokoro", "KOKORO_PULL": "false"}, "run `speech-server models pull kokoro-82m-v1.0`"),
        ({"SPEECH_TTS_ENGINE": "kokoro", "KOKORO_MODEL_PATH": "/nowhere"}, "is missing"),
        ({"SPEECH_ASR_ENGINE": "moonshine", "MOONSHINE_PULL": "false"}, "run `speech-server models pull moonshine`"),
        ({"SPEECH_ASR_ENGINE": "moonshine", "MOONSHINE_MODEL_PATH": "/nowhere"}, "no Moonshine model in /nowhere"),
    ],
)
def test_a_start_that_fails_ends_with_one_sentence(
    settings: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Said
) -> None:
    caches = {"PARAKEET_CACHE": str(tmp_path), "KOKORO_CACHE": str(tmp_path), "MOONSHINE_CACHE": str(tmp_path)}
    for name, value in {**QUICK, **caches, **settings}.items():
        monkeypatch.setenv(name, value)
    assert main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("speech-server: ")
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("port", ["SPEECH_GRPC_PORT", "SPEECH_HTTP_PORT"])
def test_a_port_in_use_is_named(port: str, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        for name, value in {**QUICK, port: taken}.items():
            monkeypatch.setenv(name, value)
        assert main([]) == 1
    assert f"can't listen on 127.0.0.1:{taken}" in capsys.readouterr().err


def test_without_a_network_the_sentence_says_how_to_do_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Said
) -> None:
    monkeypatch.setattr("speech_server.model_store.download.FIRST_WAIT_S", 0.0)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        nowhere = {"HF_ENDPOINT": f"http://127.0.0.1:{nobody.getsockname()[1]}", "PARAKEET_CACHE": str(tmp_path)}
        for name, value in {**QUICK, **nowhere, "SPEECH_ASR_ENGINE": "parakeet"}.items():
            monkeypatch.setenv(name, value)
        assert main([]) == 1
    assert "set PARAKEET_MODEL_PATH to their folder" in capsys.readouterr().err


@pytest.fixture(scope="module")
def stalled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that tells what it has, and then sends no file."""
    with hub(make_model(tmp_path_factory.mktemp("stalled"), precision="int8", seed=4)) as made:
        made.goes_on.clear()
        yield made


@pytest.mark.parametrize(
    ("arguments", "number"), [([], signal.SIGINT), ([], signal.SIGTERM), (["models", "pull"], signal.SIGINT)]
)
def test_a_pull_under_way_does_not_hold_up_the_end(
    stalled: Hub, tmp_path: Path, arguments: list[str], number: signal.Signals
) -> None:
    model = {"PARAKEET_MODEL_ID": REPO, "PARAKEET_REVISION": REVISION, "PARAKEET_CACHE": str(tmp_path)}
    settings = {**QUICK, **model, "SPEECH_ASR_ENGINE": "parakeet", "HF_ENDPOINT": stalled.endpoint}
    stalled.is_asked.clear()
    process = subprocess.Popen(
        [sys.executable, "-m", "speech_server", *arguments],
        env={**os.environ, **settings},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert stalled.is_asked.wait(60)
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    assert "kept" in said
    assert "Traceback" not in said


def test_a_pull_that_is_ended_gives_the_terminal_its_cursor_back(stalled: Hub, tmp_path: Path) -> None:
    model = {"PARAKEET_MODEL_ID": REPO, "PARAKEET_REVISION": REVISION, "PARAKEET_CACHE": str(tmp_path)}
    stalled.is_asked.clear()
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "speech_server", "models", "pull", REPO],
        env={**os.environ, **model, "TERM": "xterm", "HF_ENDPOINT": stalled.endpoint},
        stderr=theirs,
    )
    os.close(theirs)
    try:
        assert stalled.is_asked.wait(60)
        process.send_signal(signal.SIGINT)
        said = b""
        with contextlib.suppress(OSError):  # a terminal whose other end is closed
            while part := os.read(terminal, 100_000):
                said += part
        assert process.wait(20) == 128 + signal.SIGINT
    finally:
        process.kill()
        os.close(terminal)
    assert b"0.0/" in said, "there was a bar"
    assert said.rindex(b"\x1b[?25h") > said.rindex(b"\x1b[?25l")


@pytest.mark.parametrize("verb", ["speech", "run", "demo"])
@pytest.mark.parametrize("wrong", ["ENGINE=whisper", "TTS=festival", "ENGINE="])
def test_make_refuses_other_engines_before_it_sets_anything_up(verb: str, wrong: str) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", verb, wrong],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert re.search(r"\*\*\* (ENGINE|TTS)=\w* is not known; take (moonshine|espeak)", done.stderr)
    assert not done.stdout


@pytest.mark.parametrize("verb", ["run", "demo"])
def test_make_hands_engines_on_to_the_whole_stack(verb: str) -> None:
    command = ["make", "--no-print-directory", "--dry-run", verb, "ENGINE=scripted"]
    for chosen, expected in (([], "tone"), (["TTS=kokoro"], "kokoro")):
        done = subprocess.run([*command, *chosen], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        assert f"voice-bench {verb} --engine scripted --tts {expected}\n" in done.stdout
