"""What is a client told whose event is not taken? A code, the parameter and a sentence, in the shape of OpenAI's."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

UNKNOWN_PARAMETER = "unknown_parameter"
INVALID_VALUE = "invalid_value"
INVALID_TYPE = "invalid_type"
MISSING = "missing_required_parameter"
_CODES = {"extra_forbidden": UNKNOWN_PARAMETER, "missing": MISSING}
_MAX_CHARS = 300
"""Of a sentence that repeats what was sent."""


class EventRefused(Exception):
    """A client's event, or a part of it, is not taken."""

    def __init__(self, code: str, sentence: str, param: str = "", *, kind: str = "invalid_request_error") -> None:
        super().__init__(sentence)
        self.code = code
        self.param = param
        self.kind = kind


def invalid(param: str, sentence: str) -> EventRefused:
    """A value that can't be taken."""
    return EventRefused(INVALID_VALUE, f"{param}: {sentence}", param)


def refusal(error: ValidationError, raw: object) -> EventRefused:
    """The first thing that is wrong with `raw`, which the models of client events do not take."""
    errors = error.errors(include_url=False, include_context=False)
    # In a union each member has its say: what a client can mend is most likely what lies deepest.
    worst = max(errors, key=lambda one: len(one["loc"]))
    kind, param = worst["type"], path(worst["loc"], raw)
    if kind == "extra_forbidden":
        return EventRefused(UNKNOWN_PARAMETER, f"Unknown parameter: '{param}'.", param)
    if kind == "missing":
        return EventRefused(MISSING, f"Missing required parameter: '{param}'.", param)
    code = INVALID_TYPE if kind.endswith("_type") else INVALID_VALUE
    return EventRefused(code, f"Invalid value for '{param}': {worst['msg']}."[:_MAX_CHARS], param)


def path(loc: Sequence[int | str], raw: object) -> str:
    """Where in `raw` something is wrong. Names that only the models know (members of a union) are left out.

    Example: ("session", "tools", 0, "name") is session.tools[0].name."""
    found, here = "", raw
    for depth, part in enumerate(loc):
        if isinstance(here, Mapping):
            is_last = depth == len(loc) - 1
            if part not in here and not is_last:
                continue
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            continue
        found += f"[{part}]" if isinstance(part, int) else f".{part}"
    return found.removeprefix(".")


def error_event(refused: EventRefused, event_id: str | None) -> dict[str, Any]:
    """The event that tells it; `event_id` is that of the client's event, where it had one."""
    return {
        "type": "error",
        "error": {
            "type": refused.kind,
            "code": refused.code,
            "message": str(refused),
            "param": refused.param or None,
            "event_id": event_id,
        },
    }
