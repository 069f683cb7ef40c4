"""Which key was pressed? One character at a time, without waiting for enter."""

import asyncio
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def keys_to(on_key: Callable[[str], None]) -> Iterator[None]:
    """Calls `on_key` in the event loop for every key; does nothing where stdin is not a terminal.

    Ctrl-C stays a signal. The terminal is as before when the block is left.
    """
    if not sys.stdin.isatty():
        yield
        return
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    tty.setcbreak(stdin)
    loop.add_reader(stdin, lambda: on_key(sys.stdin.read(1)))
    try:
        yield
    finally:
        loop.remove_reader(stdin)
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
