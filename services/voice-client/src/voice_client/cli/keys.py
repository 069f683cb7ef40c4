"""Which key was pressed? One at a time, without waiting for enter."""

import asyncio
import codecs
import os
import re
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

KEYS_WAITING = 1024
"""Keys nobody has taken yet, of a pasted text too; more are dropped."""
_READ_BYTES = 4096

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|\[|O)?")
"""What arrow and function keys send; a lone escape is the key of that name."""
_NAMES = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\b": "backspace", "\x1b": "escape", "\x04": "end"}


class KeyDecoder:
    """Bytes of a terminal become keys: a character each, or "enter", "backspace", "escape", "end" (Ctrl-D)."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def keys(self, data: bytes) -> Iterator[str]:
        """What `data` says; arrow and function keys, and control characters without a name, say nothing."""
        text = self._decoder.decode(data)
        at = 0
        while at < len(text):
            sequence = _SEQUENCE.match(text, at)
            key = sequence[0] if sequence else text[at]
            at += len(key)
            if key in _NAMES:
                yield _NAMES[key]
            elif key.isprintable():
                yield key


@contextmanager
def pressed_keys() -> Iterator[asyncio.Queue[str]]:
    """The keys as they are pressed; none where stdin is not a terminal.

    Ctrl-C stays a signal. The terminal is as before when the block is left.
    """
    keys: asyncio.Queue[str] = asyncio.Queue(KEYS_WAITING)
    if not sys.stdin.isatty():
        yield keys
        return
    loop, stdin, decoder = asyncio.get_running_loop(), sys.stdin.fileno(), KeyDecoder()

    def on_input() -> None:
        try:
            data = os.read(stdin, _READ_BYTES)
        except OSError:  # the terminal is gone
            data = b""
        if not data:
            loop.remove_reader(stdin)
        for key in decoder.keys(data) if data else ["end"]:
            if not keys.full():
                keys.put_nowait(key)

    before = termios.tcgetattr(stdin)
    tty.setcbreak(stdin)
    loop.add_reader(stdin, on_input)
    try:
        yield keys
    finally:
        loop.remove_reader(stdin)
        # What was typed ahead and not taken would come to the shell as a command.
        termios.tcsetattr(stdin, termios.TCSAFLUSH, before)
