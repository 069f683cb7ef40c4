"""Can a person see how far a download is, in a terminal and in a log?"""

import io
import logging
import threading
from pathlib import Path

import pytest
from rich.console import Console
from speech_server.model_store.progress import shown


def test_a_terminal_shows_a_bar_with_sizes(tmp_path: Path) -> None:
    screen = io.StringIO()
    with shown("a-model", tmp_path, 2_000_000, Console(file=screen, force_terminal=True, width=100)):
        (tmp_path / "part").write_bytes(bytes(1_000_000))
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "other").write_bytes(bytes(1_000_000))
    assert "a-model" in screen.getvalue()
    assert "2.0/2.0 MB" in screen.getvalue()


def test_a_log_gets_lines_that_stand_for_themselves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told = threading.Event()

    class LogRecorder(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if " MB (" in record.getMessage():
                told.set()

    heard = LogRecorder()
    logging.getLogger().addHandler(heard)
    try:
        (tmp_path / "part").write_bytes(bytes(500_000))
        with shown("a-model", tmp_path, 2_000_000, Console(file=io.StringIO()), every_s=0.01):
            assert told.wait(10)
    finally:
        logging.getLogger().removeHandler(heard)
    assert f"fetching a-model, 2.0 MB, into {tmp_path}" in caplog.messages
    assert "fetching a-model: 0.5 of 2.0 MB (25 %)" in caplog.messages
    assert caplog.messages[-1] == "fetched a-model"
    assert not any("\r" in line for line in caplog.messages)
