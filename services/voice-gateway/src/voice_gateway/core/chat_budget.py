"""Which part of a chat fits the model? The oldest exchanges leave it, always whole.

An exchange reaches from one user message to the next, so a tool call and its results never part, and what is left
begins with the user, as chat templates want it.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate

from voice_gateway.core.conversation import Message
from voice_gateway.core.tokens import MESSAGE_TOKENS, REQUEST_TOKENS, beginning, end, estimate
from voice_gateway.core.tools import Tool, ToolChoice, declaration

_STEP = 8
"""Exchanges leave so many at a time where enough are left. Servers keep what they computed for the beginning of a
request (prefix caching); with one exchange less in front each turn, the whole history would be computed each turn."""
_SYSTEM_SHARE = 0.75
"""Of the budget: the longest that the system message may be when even the newest exchange does not fit beside it."""


def message_tokens(message: Message) -> int:
    """Estimated tokens of one message."""
    calls = sum(MESSAGE_TOKENS + estimate(call.name) + estimate(call.arguments) for call in message.calls)
    return MESSAGE_TOKENS + estimate(message.content) + calls


def chat_tokens(chat: Sequence[Message]) -> int:
    """Estimated tokens of a request."""
    return REQUEST_TOKENS + sum(map(message_tokens, chat))


def tools_tokens(tools: ToolChoice) -> int:
    """Estimated tokens of what is declared beside a chat."""
    return sum(_declared(tool) for tool in tools.tools)


def fitting_tools(tools: Sequence[Tool], budget: int) -> tuple[Tool, ...]:
    """The first of the tools, whose declarations have `budget` estimated tokens at most."""
    sizes = accumulate(map(_declared, tools))
    return tuple(tool for tool, size in zip(tools, sizes, strict=True) if size <= budget)


@lru_cache(maxsize=1024)
def _declared(tool: Tool) -> int:
    return MESSAGE_TOKENS + estimate(json.dumps(declaration(tool)))


def fit(chat: Sequence[Message], budget: int, most: int) -> list[Message]:
    """The chat within `budget` estimated tokens: its system message and its newest exchanges, `most` of them with
    the one that is going on. Where not even that one fits, the longest of its messages are cut.

    Example: 60 exchanges of 100 tokens and a prompt of 200 do not fit into 4,000: 23 of them had to leave, 24 do."""
    head = [message for message in chat[:1] if message.role == "system"]
    exchanges = _exchanges(chat[len(head) :])
    left = budget - chat_tokens(head)
    first = len(exchanges)
    while first > max(0, len(exchanges) - most):
        left -= sum(map(message_tokens, exchanges[first - 1]))
        if left < 0:
            break
        first -= 1
    if left < 0 and first == len(exchanges):
        return _cut([*head, *exchanges[-1]] if exchanges else head, budget)
    in_steps = -(-first // _STEP) * _STEP
    first = in_steps if len(exchanges) - in_steps >= _STEP else first
    return [*head, *(message for exchange in exchanges[first:] for message in exchange)]


def _exchanges(chat: Sequence[Message]) -> list[list[Message]]:
    exchanges: list[list[Message]] = []
    for message in chat:
        if message.role == "user" or not exchanges:
            exchanges.append([])
        exchanges[-1].append(message)
    return exchanges


def _cut(chat: list[Message], budget: int) -> list[Message]:
    """One exchange that does not fit: the summary goes first, which ends the system message, then the longest texts are
    made equally long."""
    head = chat[:1] if chat and chat[0].role == "system" else []
    for number, message in enumerate(head):
        head[number] = replace(message, content=beginning(message.content, int(_SYSTEM_SHARE * budget)))
    rest = chat[len(head) :]
    low, high = 0, max(map(message_tokens, rest), default=0)
    while low < high:  # the longest that a message may be
        longest = (low + high + 1) // 2
        fits = chat_tokens(head) + sum(min(message_tokens(message), longest) for message in rest) <= budget
        low, high = (longest, high) if fits else (low, longest - 1)
    return [*head, *(_shortened(message, low - MESSAGE_TOKENS) for message in rest)]


def _shortened(message: Message, tokens: int) -> Message:
    text = end(message.content, tokens) if message.role == "user" else beginning(message.content, tokens)
    return replace(message, content=text)
