"""What does a key do? Either it edits the turn that is being typed, or it is a command.

Pure: the key and the turn that is being typed come in.
"""

from dataclasses import dataclass
from enum import Enum

TYPED_CHARS = 16_384
"""A gateway takes no longer typed turn."""


class Command(Enum):
    """What a person can do by a key."""

    TALK = "talk"
    INTERRUPT = "interrupt"
    MUTE = "mute"
    TYPE = "type a turn"
    HALF_DUPLEX = "half-duplex"
    QUIT = "quit"


KEYS = {
    " ": Command.TALK,
    "enter": Command.TALK,
    "i": Command.INTERRUPT,
    "m": Command.MUTE,
    "t": Command.TYPE,
    "h": Command.HALF_DUPLEX,
    "q": Command.QUIT,
    "end": Command.QUIT,
}


@dataclass(frozen=True, slots=True)
class Pressed:
    """What follows from one key: a command, a turn to send, and the turn that is being typed from now on."""

    command: Command | None = None
    say: str = ""
    typing: str | None = None


def press(key: str, typing: str | None) -> Pressed:
    """`typing` is the turn that is being typed; None = none is, and keys are commands."""
    if typing is None:
        command = KEYS.get(key.lower())
        return Pressed(typing="") if command is Command.TYPE else Pressed(command)
    match key:
        case "enter":
            return Pressed(say=typing.strip())
        case "escape":
            return Pressed()
        case "end":
            return Pressed(Command.QUIT)
        case "backspace":
            return Pressed(typing=typing[:-1])
    return Pressed(typing=(typing + key)[:TYPED_CHARS])


def shown_keys(*, push_to_talk: bool, typing: bool) -> list[tuple[str, str]]:
    """(key, what it does) as the screen shows them."""
    if typing:
        return [("enter", "send"), ("esc", "cancel")]
    talk = [("space", "talk (tap, or hold)")] if push_to_talk else []
    return [*talk, ("i", "interrupt"), ("m", "mute"), ("t", "type"), ("h", "half-duplex"), ("q", "quit")]
