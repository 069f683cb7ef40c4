"""What did the call look like? Both voices over time, row below row, with the words, the cut and the waiting times."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from voice_bench.demo.call_summary import Answer, CallSummary, Exchange
from voice_bench.demo.caller import CallResult, Tracks
from voice_bench.demo.script import RATE_HZ

USUAL_ROW_S, LONGEST_ROW_S = 15.0, 19.0
"""Seconds in a row: words of a normal speaker stay readable beside each other."""
WIDTH_INCHES, ROW_INCHES, DPI = 17.0, 3.7, 110
COLUMN_S = 0.01
"""One line of a waveform."""
CHARACTERS_IN_A_ROW = 158
"""How many fit at the size of the words."""
LINES_OF_WORDS = 3
LINE_HEIGHT = 0.26
MARGIN_S = 0.4

CALLER, AGENT, CUT, WAIT, INK, FAINT = "#1f6fb4", "#2a8f4c", "#c92a2a", "#b3661c", "#222222", "#8a8a8a"
CALLER_Y, AGENT_Y, HEIGHT = 1.0, -1.0, 0.62


@dataclass(frozen=True, slots=True)
class _Row:
    axes: Axes
    begin_s: float
    end_s: float
    length_s: float
    """Of the axis, in every row, so that all have one scale; `end_s` is within."""

    def characters(self, lasts_s: float) -> int:
        """How many fit into `lasts_s`."""
        return int(lasts_s * CHARACTERS_IN_A_ROW / self.length_s)

    def span(self, begin_s: float, end_s: float) -> tuple[float, float] | None:
        """The part of it that lies in this row."""
        begin, end = max(begin_s, self.begin_s), min(end_s, self.end_s)
        return (begin, end) if begin < end else None

    def holds(self, moment_s: float) -> bool:
        return self.begin_s <= moment_s < self.end_s


def draw(result: CallResult, path: Path) -> None:
    """Save the picture of `result` as a PNG at `path`."""
    summary = result.summary
    length_s = len(result.tracks.caller) / 2 / RATE_HZ
    starts_s, row_s = rows_of(summary, length_s)
    rows = len(starts_s)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 9.5}):
        figure = Figure(figsize=(WIDTH_INCHES, ROW_INCHES * rows + 1.1), dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(_title(summary), fontsize=13, x=0.01, ha="left", color=INK)
        for number, (begin_s, end_s) in enumerate(pairwise([*starts_s, length_s]), 1):
            _draw_row(_Row(figure.add_subplot(rows, 1, number), begin_s, end_s, row_s), summary, result.tracks)
        figure.savefig(path)


def rows_of(summary: CallSummary, length_s: float) -> tuple[list[float], float]:
    """Where each row begins, and how long an axis is: few rows, equally full, and nobody cut off in the middle."""
    fewest = max(1, int(np.ceil(length_s / USUAL_ROW_S)))
    for rows in (fewest, fewest + 1):
        for row_s in np.arange(length_s / rows, LONGEST_ROW_S, 0.25):
            starts_s = _row_starts(summary, length_s, float(row_s))
            if starts_s is not None and len(starts_s) <= rows:
                return starts_s, float(row_s)
    return [float(begin) for begin in np.arange(0.0, length_s, USUAL_ROW_S)], USUAL_ROW_S


def _row_starts(summary: CallSummary, length_s: float, row_s: float) -> list[float] | None:
    """Each before a line of the caller's, at most `row_s` after the last; None when somebody speaks for longer."""
    lines = [exchange for exchange in summary.exchanges if not exchange.line.barges_in]
    starts_s = [0.0]
    while starts_s[-1] + row_s < length_s:
        pauses = [exchange.began_s - MARGIN_S for exchange in lines]
        fitting = [pause for pause in pauses if starts_s[-1] < pause <= starts_s[-1] + row_s]
        if not fitting:
            return None
        starts_s.append(max(fitting))
    return starts_s


def _draw_row(row: _Row, summary: CallSummary, tracks: Tracks) -> None:
    _frame(row)
    _wave(row, bytes(tracks.caller), CALLER_Y, CALLER)
    _wave(row, bytes(tracks.agent), AGENT_Y, AGENT)
    for exchange in summary.exchanges:
        _draw_line(row, exchange)
        for answer in exchange.answers.values():
            _draw_answer(row, answer)
        _draw_wait(row, exchange)
        _draw_cut(row, summary, exchange)


def _frame(row: _Row) -> None:
    axes = row.axes
    axes.set_xlim(row.begin_s, row.begin_s + row.length_s)
    axes.set_ylim(-2.75, 2.75)
    axes.set_yticks([CALLER_Y, AGENT_Y], ["caller", "agent"], fontsize=11)
    axes.set_xticks(np.arange(np.ceil(row.begin_s), row.end_s, 1.0))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} s")
    axes.tick_params(axis="both", length=0, colors=FAINT)
    axes.grid(axis="x", color="#ededed", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.hlines([CALLER_Y, AGENT_Y], row.begin_s, row.end_s, colors="#cccccc", linewidth=0.8)


def _wave(row: _Row, pcm16: bytes, y: float, color: str) -> None:
    column = round(COLUMN_S * RATE_HZ)
    wave = np.abs(np.frombuffer(pcm16, dtype="<i2").astype(np.float64))
    wave = wave[: len(wave) // column * column].reshape(-1, column)
    peaks: NDArray[np.float64] = wave.max(axis=1) if len(wave) else np.zeros(0)
    heights = HEIGHT * peaks / max(1.0, float(peaks.max(initial=0.0)))
    times = np.arange(len(heights)) * COLUMN_S
    inside = (times >= row.begin_s) & (times < row.end_s) & (heights > 0.004)
    row.axes.vlines(times[inside], y - heights[inside], y + heights[inside], colors=color, linewidth=1.1)


def _draw_line(row: _Row, exchange: Exchange) -> None:
    begin, end = exchange.speech_began_s or exchange.began_s, exchange.speech_ended_s or exchange.began_s
    span = row.span(begin, end)
    if span:
        row.axes.axvspan(*span, ymin=0.5, ymax=1.0, color=CALLER, alpha=0.07, linewidth=0)
    if row.holds(begin):
        said = exchange.line.text or "(recording)"
        heard = f"heard: {exchange.transcript or 'nothing'}"
        width = max(18, row.characters(end - begin + 1.6))
        words = "\n".join([*textwrap.wrap(said, width)[:2], *textwrap.wrap(heard, width)[:2]])
        _words(row, begin, 2.7, words, CALLER, "top")


def _draw_answer(row: _Row, answer: Answer) -> None:
    if answer.began_s is None or answer.last_s is None:
        return
    span = row.span(answer.began_s, answer.last_s)
    if span is None:
        return
    row.axes.axvspan(*span, ymin=0.0, ymax=0.5, color=AGENT, alpha=0.07, linewidth=0)
    if row.holds(answer.began_s):
        heard, unheard = answer.heard_and_unheard
        width = max(16, row.characters(answer.last_s - answer.began_s + 0.7))
        lines = _wrapped(heard, width)
        _words(row, answer.began_s, -1.78, "\n".join(lines), AGENT, "top")
        if unheard:
            rest = textwrap.shorten(f"never heard: {unheard}", max(40, width), placeholder=" …")
            _words(row, answer.began_s, -1.78 - LINE_HEIGHT * len(lines), rest, FAINT, "top")


def _draw_wait(row: _Row, exchange: Exchange) -> None:
    """The silence between the caller's last sound and the agent's first: what a caller feels."""
    seconds, ended = exchange.voice_to_voice_s, exchange.speech_ended_s
    if seconds is None or ended is None or not row.holds(ended):
        return
    row.axes.annotate(
        "", xy=(ended + seconds, 0.0), xytext=(ended, 0.0), arrowprops={"arrowstyle": "<->", "color": WAIT, "lw": 1.4}
    )
    row.axes.vlines(
        [ended, ended + seconds], [0.0, AGENT_Y], [CALLER_Y, 0.0], colors=WAIT, linewidth=0.9, linestyle=":"
    )
    row.axes.text(ended + seconds + 0.08, 0.0, f"{seconds * 1000:.0f} ms", color=WAIT, va="center", fontweight="bold")
    row.axes.text(ended + seconds + 0.08, -0.26, _parts(exchange), color=WAIT, va="center", fontsize=7.5)


def _draw_cut(row: _Row, summary: CallSummary, exchange: Exchange) -> None:
    answer, stop_s = exchange.answer, summary.barge_in_stop_s(exchange)
    if answer is None or answer.cut_s is None or not row.holds(answer.cut_s):
        return
    row.axes.vlines([answer.cut_s], -1.75, 1.95, colors=CUT, linewidth=1.8)
    stopped = f", silent {stop_s * 1000:.0f} ms after the caller began" if stop_s is not None else ""
    told = f"cut after {answer.heard_ms / 1000:.1f} s{stopped}"
    fits = len(told) < row.characters(row.begin_s + row.length_s - answer.cut_s)
    at_s, side = (answer.cut_s + 0.08, "left") if fits else (answer.cut_s - 0.08, "right")
    row.axes.text(at_s, 1.82, told, color=CUT, va="center", ha=side, fontweight="bold")


def _words(row: _Row, at_s: float, y: float, words: str, color: str, va: str) -> None:
    row.axes.text(at_s, y, words, color=color, va=va, ha="left", linespacing=1.15, clip_on=False)


def _wrapped(words: str, width: int) -> list[str]:
    lines = textwrap.wrap(words, width)
    if len(lines) > LINES_OF_WORDS:
        lines = [*lines[: LINES_OF_WORDS - 1], lines[LINES_OF_WORDS - 1] + " …"]
    return lines


def _parts(exchange: Exchange) -> str:
    latency = exchange.latency
    if latency is None:
        return ""
    parts = " + ".join(_latency_parts(latency.endpointing_delay, latency.llm_ttft, latency.tts_ttfb))
    return f"{parts} ms + audio" if parts else ""


def _latency_parts(endpointing: float | None, llm: float | None, tts: float | None) -> Iterator[str]:
    for name, value in (("endpointing", endpointing), ("LLM", llm), ("TTS", tts)):
        if value is not None:
            yield f"{name} {value * 1000:.0f}"


def _title(summary: CallSummary) -> str:
    waits = sorted(x.voice_to_voice_s for x in summary.exchanges if x.voice_to_voice_s is not None)
    middle = f", voice to voice {waits[len(waits) // 2] * 1000:.0f} ms (median)" if waits else ""
    cuts = len(summary.interrupted())
    return f"A call of {len(summary.exchanges)} turns, {cuts} barge-in{'' if cuts == 1 else 's'}{middle}"
