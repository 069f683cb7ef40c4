"""How is a call that a person holds shown? On a live screen, as plain lines, or as JSON."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.live import Live

from voice_client.cli.key_commands import shown_keys
from voice_client.cli.output import JsonOutput
from voice_client.cli.plain_lines import new_lines
from voice_client.cli.screen import Size, conversation_line, render
from voice_client.errors import VoiceError
from voice_client.events import Event
from voice_client.live.screen import Screen
from voice_client.live.screen_state import ScreenState

REFRESH_HZ = 12


class TalkView(Protocol):
    """One way to show a call."""

    def changed(self, before: ScreenState, after: ScreenState) -> None:
        """There is something new to see."""

    def event(self, event: Event) -> None:
        """An event of the call, for machines."""

    def failure(self, error: VoiceError) -> None:
        """Why there is no call any more, for machines: people read it on stderr."""

    def shown(self, screen: Screen) -> AbstractContextManager[None]:
        """`screen` is shown inside."""


@dataclass(frozen=True, slots=True)
class ScreenView:
    """The terminal's second screen; what was said stays on the first one afterwards."""

    console: Console

    def changed(self, before: ScreenState, after: ScreenState) -> None:
        """It is drawn again all the time."""

    def event(self, event: Event) -> None:
        """Not shown as such."""

    def failure(self, error: VoiceError) -> None:
        """Said once for the command, on stderr."""

    @contextmanager
    def shown(self, screen: Screen) -> Iterator[None]:
        console = self.console

        # Live refreshes from a thread of its own: drawing must not hold up audio in the loop.
        live = Live(
            get_renderable=lambda: render(screen.state, Size(console.width, console.height)),
            console=console,
            refresh_per_second=REFRESH_HZ,
            screen=True,
        )
        try:
            with live:
                yield
        finally:
            for line in screen.state.lines:
                for row in conversation_line(line, console.width):
                    console.print(row)


@dataclass(frozen=True, slots=True)
class PlainView:
    """Lines on stdout; `has_keys`: the keys that work are told first."""

    has_keys: bool
    push_to_talk: bool

    def changed(self, before: ScreenState, after: ScreenState) -> None:
        for line in new_lines(before, after):
            self._print(line)

    def event(self, event: Event) -> None:
        """Not shown as such."""

    def failure(self, error: VoiceError) -> None:
        """Said once for the command, on stderr."""

    @contextmanager
    def shown(self, screen: Screen) -> Iterator[None]:
        if self.has_keys:
            keys = shown_keys(push_to_talk=self.push_to_talk, typing=False)
            self._print("Keys: " + ", ".join(f"{key} = {what}" for key, what in keys) + ", Ctrl-C = quit")
        yield

    def _print(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class JsonView:
    """One event in a line."""

    output: JsonOutput

    def changed(self, before: ScreenState, after: ScreenState) -> None:
        """Events say it."""

    def event(self, event: Event) -> None:
        self.output.event(event)

    def failure(self, error: VoiceError) -> None:
        self.output.failure(error)

    def shown(self, screen: Screen) -> AbstractContextManager[None]:
        return nullcontext()


def view_for(*, as_json: bool, plain: bool, push_to_talk: bool) -> TalkView:
    """The one that was asked for, or that stdout can show."""
    if as_json:
        return JsonView(JsonOutput({}))
    console = Console(highlight=False)
    # A sign that the terminal's encoding lacks must not end the call.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    can_draw = console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")
    if plain or not can_draw:
        return PlainView(sys.stdin.isatty(), push_to_talk)
    return ScreenView(console)
