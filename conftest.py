"""What every test of every service needs."""

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_event_loop_before_the_first_async_test() -> None:
    """looptime asks for the current loop before sync tests too; without this, asyncio makes one that nobody closes."""
    asyncio.set_event_loop(None)
