"""Does a turn log never cost a call, and do the files stay small, few and private?"""

import logging
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from voice_gateway.core import turn_log
from voice_gateway.core.turn_policy import Policy
from voice_gateway.core.turn_types import SpeechStarted, Typed
from voice_gateway.session.turn_log_file import NoTurnLog, TurnLogFolder, TurnLogLimits

DAY_S = 86_400.0


@contextmanager
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 4 KiB: writing then fails as on a full disk. That holds for pytest's own
    output, too: left before the test ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def folder(path: Path, *, days: float = 7, folder_bytes: int = 1 << 20, call_bytes: int = 1 << 20) -> TurnLogFolder:
    return TurnLogFolder(path, TurnLogLimits(days, folder_bytes, call_bytes))


def test_only_this_user_may_read_what_was_said(tmp_path: Path) -> None:
    opened = folder(tmp_path).open("call", Policy(), turn_log.START)
    opened.write(1.0, Typed("my number is twelve"))
    opened.close()
    assert (tmp_path / "call.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_disk_that_takes_no_more_ends_the_log_with_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    turn_logs = folder(tmp_path)
    with small_files():
        for name in ("one", "two"):
            opened = turn_logs.open(name, Policy(), turn_log.START)
            for second in range(2000):
                opened.write(float(second), Typed("words " * 20))
            opened.close()
    (line,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "calls go on" in line.getMessage()


def test_a_folder_that_is_gone_costs_no_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    turn_logs = folder(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert isinstance(turn_logs.open("call", Policy(), turn_log.START), NoTurnLog)
    turn_logs.prune(0.0)
    assert len(caplog.records) == 1
    (tmp_path / "gone").mkdir()
    turn_logs.prune(0.0)
    turn_logs.open("call", Policy(), turn_log.START).close()
    assert (tmp_path / "gone" / "call.jsonl").exists()


def test_a_call_that_never_ends_fills_no_disk(tmp_path: Path) -> None:
    opened = folder(tmp_path, call_bytes=2000).open("call", Policy(), turn_log.START)
    for second in range(1000):
        opened.write(float(second), SpeechStarted())
    opened.close()
    lines = (tmp_path / "call.jsonl").read_text().splitlines()
    assert (tmp_path / "call.jsonl").stat().st_size <= 2000
    turn_log.replay(lines)


def test_old_journals_and_the_oldest_of_too_many_go(tmp_path: Path) -> None:
    now = 100 * DAY_S
    for age_days, name in ((8, "old"), (3, "third"), (2, "second"), (1, "first")):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(bytes(1000))
        os.utime(path, (now - age_days * DAY_S,) * 2)
    (tmp_path / "notes.txt").write_text("not ours")
    folder(tmp_path, days=7, folder_bytes=2500).prune(now)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.jsonl", "notes.txt", "second.jsonl"]
