"""How does a log line look? As text for people, or as one JSON object for a collector; extra fields are in both.

Everything logs by the standard library; structlog only renders.
"""

import logging
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, WrappedLogger

_logfmt = structlog.processors.LogfmtRenderer()
_HEAD = ("timestamp", "level", "logger", "event", "exception")


def set_up(level: str, form: Literal["text", "json"]) -> None:
    """Every line of this process from now on, on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(sort_keys=False) if form == "json" else _text,
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler])


def _text(logger: WrappedLogger, name: str, line: EventDict) -> str:
    """Time, level, logger and sentence as people read them, then key=value."""
    fields = _flat({key: value for key, value in line.items() if key not in _HEAD})
    rest = f" {_logfmt(logger, name, fields)}" if fields else ""
    trace = f"\n{line['exception']}" if "exception" in line else ""
    return f"{line['timestamp']} {line['level'].upper()} {line['logger']} {line['event']}{rest}{trace}"


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Maps inside become dotted keys; what no key may hold is replaced."""
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        name = prefix + "".join(sign if sign.isprintable() and sign not in ' ="' else "_" for sign in key)
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat
