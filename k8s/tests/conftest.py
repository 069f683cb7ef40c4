"""Lets the tests of this folder import their neighbours, and gives them a runner of scripts."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from script_runner import ScriptRunner


@pytest.fixture
def runner(tmp_path: Path) -> ScriptRunner:
    """Nobody answers anything yet."""
    return ScriptRunner(tmp_path)
