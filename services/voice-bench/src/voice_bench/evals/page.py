"""How does a call look? One page for a browser: of each scenario its verdict, and a timeline of who did what when."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from voice_bench.evals.moments import Moment
from voice_bench.evals.playing import PlayedCall
from voice_bench.evals.states import states
from voice_bench.evals.suite import PlayedFile

_LEFT, _RIGHT, _PER_S, _LANE, _TOP = 92, 120, 90, 24, 18
"""Pixels: the names of the lanes, the last labels, a second, a lane, the time axis."""
_SIGN = 5.4
"""Pixels of a character."""
_LANES = ("caller", "detector", "recogniser", "state", "reply heard")
_EVENT_ROWS = 4
_STATE_COLOURS = {
    "Idle": "#e5e7eb",
    "Hearing": "#93c5fd",
    "Pausing": "#dbeafe",
    "Thinking": "#fde68a",
    "Speaking": "#bbf7d0",
    "Overlap": "#fca5a5",
    "Ended": "#9ca3af",
}
_UNTOLD = (
    "call began", "caller speaks", "caller silent", "caller makes noise", "speech started", "speech stopped", "partial",
    "final", "reply heard", "word heard", "phrase spoken",
)  # fmt: skip
"""What the other lanes show."""
_STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:24px;color:#111}
h1{font-size:20px}h2{font-size:15px;margin:28px 0 4px}
.ok{color:#15803d}.failed{color:#b91c1c;font-weight:600}
.source{color:#6b7280;font-size:12px}
.timeline{overflow-x:auto;border:1px solid #e5e7eb;border-radius:4px}
ul.mistakes{color:#b91c1c;margin:4px 0}
table{border-collapse:collapse}td{padding:1px 12px 1px 0}
details{font-size:12px;color:#374151}pre{margin:4px 0}
svg text{font:9px system-ui,sans-serif}
"""


def page(played: Sequence[PlayedFile]) -> str:
    """The whole page, self-contained."""
    failed = sum(bool(one.mistakes) for one in played)
    rows = "".join(
        f'<tr><td><a href="#{escape(one.name)}">{escape(one.name)}</a></td><td>{escape(one.scenario.title)}</td>'
        f"<td>{_verdict(one)}</td></tr>"
        for one in played
    )
    body = "".join(_section(one) for one in played)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Scenarios</title><style>{_STYLE}</style>'
        f"<h1>{len(played)} scenarios, {failed} failed</h1><table>{rows}</table>{body}</html>\n"
    )


def timeline(call: PlayedCall) -> str:
    """The drawing of one call (SVG)."""
    seconds = call.seconds + 0.5
    width = _LEFT + round(seconds * _PER_S) + _RIGHT
    height = _TOP + _LANE * len(_LANES) + 12 * _EVENT_ROWS + 12
    parts = [*_axis(seconds, height), *_caller(call), *_spoken(call), *_states(call), *_replies(call), *_events(call)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="9">{"".join(parts)}</svg>'
    )


def _section(one: PlayedFile) -> str:
    mistakes = "".join(f"<li>{escape(mistake)}</li>" for mistake in one.mistakes)
    told = f'<ul class="mistakes">{mistakes}</ul>' if mistakes else ""
    drawing = events = ""
    if one.call:
        drawing = f'<div class="timeline">{timeline(one.call)}</div>'
        lines = "\n".join(escape(str(moment)) for moment in one.call.moments)
        events = f"<details><summary>everything that happened</summary><pre>{lines}</pre></details>"
    return (
        f'<h2 id="{escape(one.name)}">{escape(one.name)}: {escape(one.scenario.title)} {_verdict(one)}</h2>'
        f'<div class="source">{escape(one.scenario.source)}</div>{told}{drawing}{events}'
    )


def _verdict(one: PlayedFile) -> str:
    return '<span class="failed">failed</span>' if one.mistakes else '<span class="ok">ok</span>'


def _axis(seconds: float, height: int) -> Iterator[str]:
    for number, lane in enumerate((*_LANES, "events")):
        yield _text(4, _TOP + _LANE * number + 15, lane, colour="#374151")
    for second in range(int(seconds) + 1):
        x = _x(second)
        yield f'<line x1="{x}" y1="{_TOP}" x2="{x}" y2="{height}" stroke="#f3f4f6"/>'
        yield _text(x + 2, 11, f"{second} s", colour="#6b7280")


def _caller(call: PlayedCall) -> Iterator[str]:
    """What the caller says, as blocks with its words."""
    began: Moment | None = None
    for moment in call.moments:
        if moment.event == "caller speaks":
            began = moment
        elif moment.event == "caller silent" and began:
            yield _block(0, began.at, moment.at, "#60a5fa", began.text)
            began = None
        elif moment.event == "caller makes noise":
            yield _block(0, moment.at, moment.at + 0.15, "#d1d5db", "noise")


def _spoken(call: PlayedCall) -> Iterator[str]:
    """What the gateway takes for speech, and what the recogniser understands."""
    began = None
    for moment in call.moments:
        if moment.event == "speech started":
            began = moment.at
        elif moment.event == "speech stopped" and began is not None:
            yield _block(1, began, moment.at, "#bfdbfe", "")
            began = None
        elif moment.event in ("partial", "final"):
            yield _tick(2, moment.at, "#1d4ed8" if moment.event == "final" else "#93c5fd", str(moment))
            if moment.event == "final" and moment.text:
                yield _text(_x(moment.at) + 4, _y(2) + 14, _short(moment.text, 1.6), colour="#1d4ed8")


def _states(call: PlayedCall) -> Iterator[str]:
    changes = [*states(call), (call.seconds, "")]
    for (began, name), (ended, _) in pairwise(changes):
        yield _block(3, began, ended, _STATE_COLOURS.get(name, "#ffffff"), name)


def _replies(call: PlayedCall) -> Iterator[str]:
    for began, ended, reply in call.heard_spans:
        yield _block(4, began, ended, "#86efac" if reply % 2 else "#a7f3d0", "", about=f"reply {reply}")
    for word in call.heard_words:
        length = _SIGN * len(word.text)
        yield _text(_x(word.at) - length, _y(4) + 14, word.text, colour="#14532d")


def _events(call: PlayedCall) -> Iterator[str]:
    """Labels in the first row in which they have room."""
    free = [0.0] * _EVENT_ROWS
    top = _TOP + _LANE * len(_LANES)
    for moment in call.moments:
        if moment.event in _UNTOLD:
            continue
        label = (
            moment.event + (f" {moment.reply}" if moment.reply else "") + (f" {moment.reason}" if moment.reason else "")
        )
        x = _x(moment.at)
        row = next((row for row, until in enumerate(free) if until <= x), _EVENT_ROWS - 1)
        free[row] = x + _SIGN * len(label) + 6
        y = top + 12 * row + 14
        colour = "#b91c1c" if moment.event in ("failure", "reply interrupted", "reply retracted") else "#111827"
        yield f'<line x1="{x}" y1="{_TOP}" x2="{x}" y2="{y}" stroke="#9ca3af" stroke-dasharray="2 2"/>'
        yield _text(x + 2, y, label, colour=colour, about=str(moment))


def _block(lane: int, began: float, ended: float, colour: str, label: str, *, about: str = "") -> str:
    width = max(1, _x(ended) - _x(began))
    title = f"<title>{escape(about or label)} ({began:.2f} to {ended:.2f} s)</title>"
    rectangle = f'<rect x="{_x(began)}" y="{_y(lane) + 3}" width="{width}" height="{_LANE - 6}" rx="2" fill="{colour}">{title}</rect>'  # fmt: skip  # noqa: E501
    fits = _short(label, (ended - began) - 0.05)
    return rectangle + (_text(_x(began) + 3, _y(lane) + 15, fits) if fits else "")


def _tick(lane: int, at: float, colour: str, about: str) -> str:
    return f'<rect x="{_x(at)}" y="{_y(lane) + 3}" width="2" height="{_LANE - 6}" fill="{colour}"><title>{escape(about)}</title></rect>'  # fmt: skip  # noqa: E501


def _text(x: float, y: float, text: str, *, colour: str = "#111827", about: str = "") -> str:
    title = f"<title>{escape(about)}</title>" if about else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}">{escape(text)}{title}</text>'


def _short(label: str, seconds: float) -> str:
    """As much of a label as fits into so many seconds."""
    room = int(seconds * _PER_S / _SIGN)
    return label if len(label) <= room else label[: max(0, room - 1)] + "…" if room > 2 else ""


def _x(seconds: float) -> int:
    return _LEFT + round(seconds * _PER_S)


def _y(lane: int) -> int:
    return _TOP + _LANE * lane
