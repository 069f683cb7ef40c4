"""Lets the tests of this folder import their neighbours, and sets the stage for scripts."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from script_runner import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Nobody answers anything yet."""
    return Stage(tmp_path)
