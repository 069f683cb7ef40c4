"""What the tests of the core share: the player of stories, from the module beside this file."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from turn_player import Play, player
from voice_gateway.core import turns


@pytest.fixture
def play() -> Play:
    """Plays a story through the turn machine."""
    return player(turns)
