"""What is noted of a request, and what do many of them say? Facts for the log, percentiles for the report."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields

from speech_server.errors import BadRequest

OK, LEFT = "OK", "CANCELLED"
"""Statuses that are no refusal: served, and the client was gone before the end."""
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that has ended. Never what was said: no text, no audio."""

    at: float
    """When it ended, seconds since the epoch."""
    wire: str
    """grpc or http."""
    route: str
    """The method, or the path."""
    status: str
    """OK, or the name of the gRPC status that fits."""
    total_s: float
    queue_s: float = 0.0
    """Of it, spent in line for a place."""
    inference_s: float = 0.0
    """Of it, spent by the engine."""
    audio_s: float = 0.0
    """Audio heard or spoken."""
    caller: str = ""
    """Who asked for it: the name behind its token; "" = everybody may."""

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps({name: _short(value) for name, value in asdict(self).items()})


def parse_line(line: str) -> RequestRecord | None:
    """The record of a line; None for one that isn't a whole record (a file may end in the middle of a line)."""
    try:
        content = json.loads(line)
        known = {one.name: content[one.name] for one in fields(RequestRecord) if one.name in content}
        numbers = [known[name] for name in ("at", "total_s", "queue_s", "inference_s", "audio_s") if name in known]
        if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
            return None
        return RequestRecord(**known)
    except (ValueError, TypeError, KeyError):
        return None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of a duration, in seconds."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Window:
    """What the requests of one route did in a stretch of time. Durations are of those served, not of the refused."""

    window: str
    route: str
    requests: int
    errors: int
    queue: Percentiles
    inference: Percentiles
    total: Percentiles
    audio_s: float
    rtf: float
    """Engine time by audio time, pooled."""
    statuses: tuple[tuple[str, int], ...]
    """How often each status that isn't OK came, the most frequent first."""


def parse_window(text: str) -> float:
    """Seconds of "30m", "1h", "24h", "7d" or "90s". Raises BadRequest."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if found is None or not int(found[1]):
        raise BadRequest(f"{text!r} is no window; write a number and s, m, h or d, such as 30m or 24h.")
    return int(found[1]) * float(_UNITS_S[found[2]])


def report(records: Iterable[RequestRecord], windows: Sequence[str], now: float) -> list[Window]:
    """A row for each window and route, and one for all routes of a window when there are several. Raises BadRequest."""
    spans = [(window, parse_window(window)) for window in windows]
    longest_s = max((span_s for _, span_s in spans), default=0.0)
    recent = [record for record in records if 0 <= now - record.at <= longest_s]
    rows: list[Window] = []
    for window, span_s in spans:
        inside = [record for record in recent if now - record.at <= span_s]
        routes = sorted({record.route for record in inside})
        if len(routes) != 1:
            rows.append(_row(window, "all", inside))
        rows += [_row(window, route, [one for one in inside if one.route == route]) for route in routes]
    return rows


def _row(window: str, route: str, records: Sequence[RequestRecord]) -> Window:
    served = [record for record in records if record.status == OK]
    refused = [record.status for record in records if record.status != OK]
    counts = sorted(((status, refused.count(status)) for status in set(refused)), key=lambda one: (-one[1], one[0]))
    audio_s = sum(record.audio_s for record in served)
    engine_s = sum(record.inference_s for record in served if record.audio_s)
    return Window(
        window=window,
        route=route,
        requests=len(records),
        errors=len(refused),
        queue=_percentiles([record.queue_s for record in served]),
        inference=_percentiles([record.inference_s for record in served]),
        total=_percentiles([record.total_s for record in served]),
        audio_s=audio_s,
        rtf=engine_s / audio_s if audio_s else 0.0,
        statuses=tuple(counts),
    )


def _percentiles(values: Sequence[float]) -> Percentiles:
    return Percentiles(_percentile(values, 0.5), _percentile(values, 0.95))


def _percentile(values: Sequence[float], part: float) -> float:
    """The nearest rank; 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def _short(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value
