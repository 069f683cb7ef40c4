"""Does the whole demo work? Once, in real time, as a user runs it."""

import asyncio
import re
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from pcm import silence, write_wav

COMMAND = Path(sys.executable).parent / "voice-bench"
LONGEST_S = 110.0


async def run(*arguments: str) -> tuple[int | None, str, str]:
    """Exit status and both outputs of `voice-bench`."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), LONGEST_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, out.decode(), errors.decode()


async def test_the_demo_holds_a_conversation_is_interrupted_and_leaves_recording_and_picture(tmp_path: Path) -> None:
    status, out, errors = await run("demo", "--out", str(tmp_path / "made"))
    assert (status, errors) == (0, "")
    assert "All 7 lines were heard and answered" in out
    assert re.search(r"heard +How much is seven times eight", out)
    assert re.search(r"heard +Go forward (10|ten) meters", out)
    assert re.search(r"heard +He might even have been made amiable himself", out)
    assert re.search(r"cut +after [12]\.\d s", out)
    assert re.search("[Yy]our name is Anna", out)
    assert "barge_in_stop" in out

    with wave.open(str(tmp_path / "made" / "call.wav")) as recording:
        assert (recording.getnchannels(), recording.getframerate()) == (2, 16_000)
        frames = np.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2").reshape(-1, 2)
    last_told_s = max(float(moment) for moment in re.findall(r"^ *(\d+\.\d\d) s ", out, re.MULTILINE))
    assert last_told_s < len(frames) / 16_000 < last_told_s + 3.0
    assert (np.abs(frames).max(axis=0) > 3000).all()

    width, height = png_size(tmp_path / "made" / "call.png")
    assert width > 1500
    assert height > 600


def png_size(path: Path) -> tuple[int, int]:
    """Raises AssertionError when it is not a PNG."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


async def test_recordings_that_nobody_can_understand_fail_the_demo_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(tmp_path / "01.wav", [silence(0.5, 8000)], 8000)
    monkeypatch.setenv("CALLER", str(tmp_path))
    status, out, errors = await run("demo", "--timeout", "2", "--out", str(tmp_path / "made"))
    assert status == 1
    assert "line 1 was not understood" in errors
    assert "hung up" in errors
    assert (tmp_path / "made" / "call.png").exists(), out


async def test_an_empty_folder_of_recordings_is_a_sentence(tmp_path: Path) -> None:
    status, _, errors = await run("demo", "--caller", str(tmp_path), "--out", str(tmp_path / "made"))
    assert status == 1
    assert "there are no recordings in" in errors
    assert "Traceback" not in errors
