"""A log line carries its extra fields, for people and for a collector."""

import json
import logging
from typing import Any

import pytest
from serving import log_format


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_carries_its_fields_in_both_forms(form: Any, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []
    try:
        log_format.set_up("INFO", form)
        extra = {"session": "call-1", "metadata": {"te nant": 'a "b"\nc'}}
        logging.getLogger("somewhere").info("call began", extra=extra)
    finally:
        root.handlers = handlers
        root.setLevel(level)
    (line,) = capsys.readouterr().err.splitlines()
    if form == "json":
        said = json.loads(line)
        assert (said["event"], said["level"], said["logger"]) == ("call began", "info", "somewhere")
        assert said["metadata"] == {"te nant": 'a "b"\nc'}
    else:
        assert " INFO somewhere call began session=call-1 metadata.te_nant=" in line
