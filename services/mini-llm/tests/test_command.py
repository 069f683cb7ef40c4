"""The command `mini-llm` starts, says what is wrong in one sentence, and stops when it is told to."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mini_llm.settings import Settings
from serving.settings import BadSettings, read

WAIT_S = 30.0


@contextmanager
def command(*arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """The command with MINI_LLM_ settings (in lower case, without the prefix); ended when the context ends."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MINI_LLM_")}
    chosen = {f"MINI_LLM_{name.upper()}": value for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "mini_llm.app", *arguments],
        env={**inherited, "MINI_LLM_HOST": "127.0.0.1", **chosen},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_log_line(process: subprocess.Popen[str]) -> str:
    """Waits for it."""
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_on_a_free_port_until_it_is_told_to_stop(stop: signal.Signals, tmp_path: Path) -> None:
    ports = tmp_path / "ports.json"
    with command(port="0", ports_file=str(ports)) as process:
        assert "listening on" in first_log_line(process)
        port = json.loads(ports.read_text())["http"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/health/ready", timeout=WAIT_S) as response:
            assert response.status == 200
        process.send_signal(stop)
        _, errors = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0
        assert "Traceback" not in errors


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with command(port=port) as process:
            _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1
    assert f"can't listen on 127.0.0.1:{port}" in errors


@pytest.mark.parametrize(
    ("name", "value"), [("port", "many"), ("port", "70000"), ("fault", "flood"), ("first_token_ms", "-1")]
)
def test_an_unusable_setting_is_named(name: str, value: str) -> None:
    with command(**{"port": "0", name: value}) as process:
        _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 2
    assert errors.startswith(f"MINI_LLM_{name.upper()}: ")
    assert len(errors.splitlines()) == 1


def test_other_machines_are_served_on_the_operators_word_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINI_LLM_HOST", "0.0.0.0")
    with pytest.raises(BadSettings, match="set MINI_LLM_PLAINTEXT=true if that is meant"):
        read(Settings)
    monkeypatch.setenv("MINI_LLM_PLAINTEXT", "true")
    assert read(Settings).host == "0.0.0.0"


def test_an_empty_setting_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIMELINE", "SCRIPT", "PORT"):
        monkeypatch.setenv(f"MINI_LLM_{name}", "")
    settings = read(Settings)
    assert (settings.timeline, settings.script, settings.port) == (None, None, 8001)


@pytest.mark.parametrize("name", ["timeline", "ports_file"])
def test_a_file_that_cannot_be_written_is_one_sentence(name: str, tmp_path: Path) -> None:
    with command(**{"port": "0", name: str(tmp_path / "no" / "such" / "folder")}) as process:
        _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1
    assert errors.startswith(f"Cannot write MINI_LLM_{name.upper()}")
    assert len(errors.splitlines()) == 1
