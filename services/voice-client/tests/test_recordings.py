"""Does scripts/fetch_recordings.py do what the other services' tests lean on? Without the network."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "scripts" / "fetch_recordings.py"


def fetch(**environment: str) -> "subprocess.CompletedProcess[str]":
    # Port 9 of this machine discards: an index that never answers.
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_FIND_LINKS": ""}
    variables = {name: value for name, value in os.environ.items() if name != "VOICE_AUDIO"}
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=variables | offline | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_folder_that_is_given_is_told_and_nothing_is_fetched(tmp_path: Path) -> None:
    fetched = fetch(VOICE_AUDIO=str(tmp_path))
    assert (fetched.returncode, fetched.stdout.splitlines()) == (0, [str(tmp_path)])


def test_a_given_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    fetched = fetch(VOICE_AUDIO=str(tmp_path / "none"))
    assert (fetched.returncode, fetched.stdout) == (1, "")
    assert "is not a folder" in fetched.stderr


def test_recordings_fetched_before_are_told_without_a_network(tmp_path: Path) -> None:
    folder = tmp_path / "voice-workflow" / "recordings"
    folder.mkdir(parents=True)
    (folder / ".complete-1").touch()
    fetched = fetch(XDG_CACHE_HOME=str(tmp_path))
    assert (fetched.returncode, fetched.stdout.splitlines()[-1]) == (0, str(folder))


def test_without_an_index_it_says_what_to_set(tmp_path: Path) -> None:
    fetched = fetch(XDG_CACHE_HOME=str(tmp_path))
    assert (fetched.returncode, fetched.stdout) == (1, "")
    assert "PIP_INDEX_URL" in fetched.stderr
    assert "VOICE_AUDIO" in fetched.stderr
    assert "Traceback" not in fetched.stderr
