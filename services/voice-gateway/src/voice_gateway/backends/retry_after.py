"""When does a backend that refuses want to be asked again? Seconds, from its answer's headers or trailers."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MILLISECONDS = ("retry-after-ms", "grpc-retry-pushback-ms")
"""OpenAI's and Azure's header; gRPC's trailer (gRFC A6). Our own servers send the first one as a trailer, too."""


def retry_after_s(headers: Mapping[str, str]) -> float:
    """0 = it does not say, or says nothing sensible. `headers` have lower-case names, or any case is found."""
    for name in _MILLISECONDS:
        if milliseconds := _positive(headers.get(name, "")):
            return milliseconds / 1000
    told = headers.get("retry-after", "")
    return _positive(told) or _until(told, headers.get("date", ""))


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) and number > 0 else 0.0


def _until(date: str, now: str) -> float:
    """Seconds until an HTTP date, by the clock of the server that said it, if it tells."""
    if (then := _moment(date)) is None:
        return 0.0
    return max(0.0, (then - (_moment(now) or datetime.now(UTC))).total_seconds())


def _moment(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
