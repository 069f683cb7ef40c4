"""What does a person read who sees no screen, but lines? What is final, once, as whole sentences with a name before.

For pipes, and for screen readers: nothing is drawn anew, nothing blinks, and no sign or colour carries a meaning.
Pure: two states in, the lines that the second one adds out.
"""

from voice_client.cli.latency_text import latency_text
from voice_client.live.screen_state import CallerLine, Connection, Line, NoteLine, Phase, ReplyLine, ScreenState

_SAID = {Connection.CONNECTING: "connecting to {}", Connection.CONNECTED: "connected to {}"}


def new_lines(before: ScreenState, after: ScreenState) -> list[str]:
    """What to print when `before` has become `after`."""
    told: list[str] = []
    if after.connection is not before.connection and after.connection in _SAID:
        told.append(_SAID[after.connection].format(after.target))
    if after.lines is not before.lines:
        known = {id(line) for line in before.lines}
        earlier = {_key(line): line for line in before.lines[before.call_begins_at :]}
        told += [
            text for line in after.lines if id(line) not in known for text in _sentences(earlier.get(_key(line)), line)
        ]
    return told + _switched(before, after)


def _key(line: Line) -> tuple[str, int] | None:
    match line:
        case CallerLine(turn=turn):
            return ("caller", turn)
        case ReplyLine(reply=reply):
            return ("reply", reply)
    return None


def _sentences(before: Line | None, line: Line) -> list[str]:
    match line:
        case CallerLine(is_over=True):
            return [f"You: {line.words}"]
        case ReplyLine():
            return _of_reply(before if isinstance(before, ReplyLine) else ReplyLine(line.reply), line)
        case NoteLine():
            return [f"{'Warning' if line.is_trouble else 'Note'}: {line.text}"]
    return []


def _of_reply(before: ReplyLine, line: ReplyLine) -> list[str]:
    told = []
    text = line.text.strip()
    if line.phase is not before.phase and line.phase is Phase.ENDED and text:
        told.append(f"Reply: {text}")
    was = (before.phase, before.text, before.heard_chars)
    if line.phase is Phase.INTERRUPTED and was != (line.phase, line.text, line.heard_chars):
        heard = text[: line.heard_chars].strip() or "nothing"
        told.append(f"Reply, interrupted, heard: {heard}")
    if line.latency and line.latency != before.latency and (measured := latency_text(line.latency)):
        told.append(f"Latency: reply {measured}")
    return told


def _switched(before: ScreenState, after: ScreenState) -> list[str]:
    told = []
    if after.audio.is_muted is not before.audio.is_muted:
        told.append("Microphone muted." if after.audio.is_muted else "Microphone on.")
    if after.audio.half_duplex is not before.audio.half_duplex:
        told.append("Half-duplex on." if after.audio.half_duplex else "Half-duplex off.")
    if after.push_to_talk and after.audio.is_talking is not before.audio.is_talking:
        told.append("You talk." if after.audio.is_talking else "Your turn is over.")
    return told
