"""A terminal for tests: the `voice` command runs in it as a person runs it, and the test reads it and presses keys."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).parent
LIMIT_S = 20.0
_HOME, _CLEAR_LINE = "\x1b[H", re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[=>]")


class Terminal:
    """A program's terminal: everything it wrote, and what of that is its screen now."""

    def __init__(self, width: int, height: int) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.written = ""
        self.process: asyncio.subprocess.Process
        self._changed = asyncio.Event()
        self._raw = b""
        asyncio.get_running_loop().add_reader(self.master, self._read)

    @property
    def screen(self) -> str:
        """The newest whole picture of a live screen, without its colours."""
        pictures = self.written.split(_HOME)
        return _CLEAR_LINE.sub("", pictures[-2] if len(pictures) > 2 else "").replace("\r\n", "\n")

    @property
    def text(self) -> str:
        """Everything that was written, without colours."""
        return _CLEAR_LINE.sub("", self.written).replace("\r\n", "\n")

    def press(self, keys: str) -> None:
        """As if they were typed."""
        os.write(self.master, keys.encode())

    async def shows(self, *words: str) -> str:
        """The first picture that holds all of `words`, wherever its lines are broken."""
        picture = ""

        def holds_all() -> bool:
            nonlocal picture
            picture = self.screen
            flowing = " ".join(picture.split())
            return all(word in flowing for word in words)

        await self._until(holds_all, words)
        return picture

    async def writes(self, *words: str) -> str:
        """Once all of `words` were written at some time."""
        await self._until(lambda: all(word in self.text for word in words), words)
        return self.text

    async def ends(self) -> int:
        """The exit status, after everything was read. The terminal is as it was, and nobody saw a stack trace."""
        code = await asyncio.wait_for(self.process.wait(), LIMIT_S)
        self._read()
        assert "Traceback" not in self.text, self.text
        assert termios.tcgetattr(self.slave) == self.before, "the terminal is not as it was"
        if "\x1b[?1049h" in self.written:
            assert self.written.rindex("\x1b[?1049l") > self.written.rindex("\x1b[?1049h"), "the screen was not left"
        return code

    async def _until(self, done: Callable[[], bool], words: tuple[str, ...]) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                while not done():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{words} did not come; the screen is:\n{self.screen or self.text}") from None

    def _read(self) -> None:
        os.set_blocking(self.master, False)
        try:
            while data := os.read(self.master, 65536):
                self._raw += data
        except OSError:
            pass  # nothing more for now, or the program is gone
        self.written = self._raw.decode("utf-8", "ignore")
        self._changed.set()

    def close(self) -> None:
        """Both ends."""
        asyncio.get_running_loop().remove_reader(self.master)
        for end in (self.master, self.slave):
            os.close(end)


@asynccontextmanager
async def terminal(
    *arguments: str, width: int = 100, height: int = 30, environment: dict[str, str] | None = None
) -> AsyncIterator[Terminal]:
    """`voice ARGUMENTS` in a terminal, with a device of its own."""
    there = Terminal(width, height)
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES", "CI")}
    there.process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from voice_client.cli import main; main()",
        *arguments,
        stdin=there.slave,
        stdout=there.slave,
        stderr=there.slave,
        start_new_session=True,
        env={
            **kept,
            "PYTHONPATH": str(HERE / "fake_portaudio"),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            **(environment or {}),
        },
    )
    try:
        yield there
    finally:
        if there.process.returncode is None:
            there.process.send_signal(signal.SIGKILL)
            await there.process.wait()
        there.close()
