"""Which trace does a caller's stream belong to? The one that its `traceparent` names (W3C Trace Context)."""

import re
from collections.abc import Iterable

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def trace_id(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """32 hexadecimal digits; "" = none, or not a valid one."""
    for name, value in metadata or ():
        if name == "traceparent" and isinstance(value, str) and (found := _TRACEPARENT.fullmatch(value)):
            return found["trace"] if found["trace"].strip("0") else ""
    return ""
