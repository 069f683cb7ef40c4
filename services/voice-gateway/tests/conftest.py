"""What the tests of the gateway share: the modules beside them, and the player of stories."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "core"))
sys.path.insert(0, str(Path(__file__).parent / "calls"))
sys.path.insert(0, str(Path(__file__).parent / "realtime"))

from turn_player import Play, player
from voice_gateway.core import turns


@pytest.fixture
def play() -> Play:
    """Plays a story through the turn machine."""
    return player(turns)
