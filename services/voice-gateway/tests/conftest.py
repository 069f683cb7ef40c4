"""What every test here needs."""

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def _no_event_loop_before_the_first_async_test() -> None:
    """looptime asks for the current loop before sync tests too; without this, asyncio makes one that nobody closes."""
    asyncio.set_event_loop(None)
