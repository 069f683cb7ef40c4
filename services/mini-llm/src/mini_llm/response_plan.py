"""What will be sent for a request, how fast, and what goes wrong? Decided whole before the first byte leaves."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mini_llm.faults import FaultPlan, tokens_before_fault
from mini_llm.pacing import Pace, answer_tokens
from mini_llm.request import ChatRequest, RequestRefused
from mini_llm.responder import respond
from mini_llm.responses import Usage
from mini_llm.settings import Fault, Settings
from mini_llm.summary import asks_for_summary, summarise
from mini_llm.tool_use import needed, read_out

FAULT_HEADER = "x-mini-llm-fault"
FIRST_TOKEN_HEADER = "x-mini-llm-first-token-ms"
TOKEN_HEADER = "x-mini-llm-token-ms"
"""Headers of one request that win over the settings."""


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """One answer, planned."""

    number: int
    """1 for the first well-formed chat request of this server."""
    id: str
    created: int
    model: str
    pieces: tuple[str, ...]
    """The tokens that get through."""
    finish_reason: str
    fault: Fault
    pace: Pace
    usage: Usage
    wants_usage: bool
    function: str = ""
    """The tool that is called; the pieces are its arguments then. "" = none."""


def plan_response(
    request: ChatRequest, settings: Settings, headers: Mapping[str, str], number: int, now: datetime
) -> ResponsePlan:
    """Plan the answer to the `number`-th request. Raises RequestRefused when a header cannot be read."""
    talk = request.conversation
    script = settings.script
    last = talk.last_user_text
    call = needed(last, request.functions) if script is None and request.messages[-1].role == "user" else None
    if call is not None:
        text = call.arguments
    elif script is not None:
        text = script.replace("{last}", last)
    elif request.results:
        text = read_out(request.results)
    else:
        text = summarise(last, request.token_limit) if asks_for_summary(last) else respond(talk, now)
    pieces, finish_reason = answer_tokens(text, request.token_limit, () if call else request.stop_texts)
    finish_reason = "tool_calls" if call and finish_reason == "stop" else finish_reason
    fault = _fault(settings, headers, number)
    late_ms = settings.slow_ms if fault is Fault.SLOW else 0.0
    return ResponsePlan(
        number=number,
        id=f"chatcmpl-{uuid.uuid4().hex}",
        created=int(now.timestamp()),
        model=settings.model,
        pieces=pieces[: tokens_before_fault(fault, len(pieces))],
        finish_reason=finish_reason,
        fault=fault,
        pace=Pace(
            first_token_s=(_milliseconds(headers, FIRST_TOKEN_HEADER, settings.first_token_ms) + late_ms) / 1000,
            token_s=(_milliseconds(headers, TOKEN_HEADER, settings.token_ms) + late_ms) / 1000,
        ),
        usage=Usage(request.prompt_tokens, len(pieces)),
        wants_usage=request.wants_usage,
        function=call.name if call else "",
    )


def _fault(settings: Settings, headers: Mapping[str, str], number: int) -> Fault:
    asked = headers.get(FAULT_HEADER)
    if asked is None:
        return FaultPlan(settings.fault, settings.fault_after, settings.fault_count).fault_of(number)
    if asked not in tuple(Fault):
        raise RequestRefused(f"The header {FAULT_HEADER} must be one of: {', '.join(Fault)}.", FAULT_HEADER)
    return Fault(asked)


def _milliseconds(headers: Mapping[str, str], header: str, default_ms: float) -> float:
    asked = headers.get(header)
    if asked is None:
        return default_ms
    try:
        value = float(asked)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise RequestRefused(f"The header {header} must be a number of milliseconds, 0 or more.", header)
    return value
