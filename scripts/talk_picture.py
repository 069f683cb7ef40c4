"""Draw docs/images/voice-talk.svg: the screen of `voice talk` in a real call against the stack of `make run`.

The caller's sentences are spoken by the speech server's voice; microphone and loudspeaker are played by this program.
"""

import argparse
import asyncio
import io
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pcm import Framer
from rich import _export_format
from rich.console import Console
from voice_bench.demo.script import Line, spoken
from voice_bench.stack import running
from voice_bench.stack_config import embedded
from voice_client import CallOptions, connect
from voice_client.cli.screen import Size, render
from voice_client.interfaces import FillPlayback, OnCaptured, OnLost, OpenedAudio
from voice_client.live.echo_canceller import can_cancel_echo
from voice_client.live.live_caller import LiveCaller, LiveOptions, first_state
from voice_client.live.screen import Screen
from voice_client.live.screen_state import Phase, ReplyLine, ScreenState

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "voice-talk.svg"
SIZE = Size(104, 18)
SENTENCES = ("My name is Anna.", "How much is seven times eight?", "Can you tell me a joke?")
LIMIT_S = 90.0
FRAME_S = 0.02
PAUSE_S = 0.4


class RecordedDevice:
    """A microphone that hears what is queued, else silence, and a loudspeaker, both in one thread at their pace."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()

    def check(self) -> None:
        """It is always there."""

    def default(self) -> "RecordedDevice":
        return self

    def hear(self, line: Line) -> None:
        """The microphone hears this next, after a short pause."""
        pause = bytes(640) * round(PAUSE_S / FRAME_S)
        self._frames.extend(Framer(640).push(pause + line.clip.at(16_000).pcm16 + bytes(640)))

    @contextmanager
    def open(
        self, *, input_hz: int, output_hz: int, on_captured: OnCaptured, fill: FillPlayback, on_lost: OnLost
    ) -> Iterator[OpenedAudio]:
        closed = threading.Event()

        def run() -> None:
            while not closed.wait(FRAME_S):
                fill(round(output_hz * FRAME_S), FRAME_S)
                on_captured(self._frames.popleft() if self._frames else bytes(640))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield OpenedAudio("Built-in Microphone", "Built-in Speakers")
        finally:
            closed.set()
            thread.join()


async def talk(target: str, lines: Sequence[Line]) -> ScreenState:
    """The state of the screen while the last reply is heard."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    live = LiveOptions(cancel_echo=can_cancel_echo())
    screen = Screen(first_state("localhost:50050", live, loop.time()), lambda before, after: changed.set())
    device = RecordedDevice()

    async def until(done: Callable[[ScreenState], bool]) -> None:
        while not done(screen.state):
            changed.clear()
            await changed.wait()

    async with connect(target, CallOptions()) as call:
        holding = asyncio.create_task(LiveCaller(call, screen, live).run(device))
        for number, line in enumerate(lines[:-1], start=1):
            device.hear(line)
            await until(lambda state, number=number: _answered(state) >= number)  # type: ignore[misc]
        device.hear(lines[-1])
        await until(_is_half_heard)
        state = screen.state
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        return state


def _answered(state: ScreenState) -> int:
    return sum(
        isinstance(line, ReplyLine) and line.phase is Phase.ENDED and line.latency is not None for line in state.lines
    )


def _is_half_heard(state: ScreenState) -> bool:
    reply = state.open_reply
    return reply is not None and reply.heard_chars > 20 and state.audio.output_dbfs > -40


def svg(state: ScreenState) -> str:
    """The screen, with no font from anywhere else."""
    console = Console(record=True, width=SIZE.width, height=SIZE.height, file=io.StringIO(), force_terminal=True)
    console.print(render(state, SIZE))
    style = re.sub(r"@font-face \{\{.*?\}\}|<!--.*?-->", "", _export_format.CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="voice talk", code_format=style, unique_id="voice-talk") + "\n"


async def _draw() -> str:
    async with asyncio.timeout(LIMIT_S), running(embedded()) as stack:
        return svg(await talk(stack.target, await spoken(stack.speech_target, SENTENCES, 0)))


def main() -> int:
    """Draws it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=PICTURE, help="SVG file to write.")
    out = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(asyncio.run(_draw()), encoding="utf-8")
    sys.stdout.write(f"{out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
