"""How does every request of a call fit the model? Its chat is cut to the budget, and once more when refused.

The budget is LLM_CONTEXT_TOKENS without the answer. It is measured by an estimate, which the server's own counts
correct (`core/tokens`); a server that takes less than the operator says is believed for the rest of the call.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from voice_gateway.core.chat_budget import chat_tokens, fit, fitting_tools, tools_tokens
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.tokens import Scale, Usage
from voice_gateway.core.tools import AUTO, NO_TOOLS, ToolCall, ToolChoice
from voice_gateway.errors import ChatTooLong
from voice_gateway.interfaces import LanguageModel

log = logging.getLogger(__name__)

_ANSWER_SHARE = 0.5
"""Of the context: the longest answer that is asked for."""
_TOOLS_SHARE = 0.5
"""Of what is left beside the answer: the longest that the declarations of tools may be together."""
_SHORTER = 0.7
"""Of a chat that was refused by a server that does not say what it takes."""


@dataclass(frozen=True, slots=True)
class ContextLimits:
    """How much of a call the model is shown."""

    tokens: int = 8192
    """Of a request and its answer."""
    exchanges: int = 50
    """With the one that is going on."""


class ModelListener(Protocol):
    """Who wants to know when replies need the model."""

    def model_asked(self, tokens: int) -> None:
        """It is asked now, with a chat of about so many tokens."""

    def model_free(self) -> None:
        """No answer is being written any more."""


class FittedModel:
    """The language model of one call. Implements `LanguageModel`."""

    def __init__(self, model: LanguageModel, limits: ContextLimits, listener: ModelListener) -> None:
        self.scale = Scale()
        self._model = model
        self._limits = limits
        self._listener = listener
        self._declared = 0
        """Estimated tokens of the tools that a reply was last offered."""
        self._answers = 0
        """Being written for replies."""
        self._left_out = False
        """Tools were left out, and the operator was told."""

    @property
    def is_asked(self) -> bool:
        """Whether an answer is being written for a reply."""
        return self._answers > 0

    async def get_ready(self) -> None:
        """A question is likely soon."""
        await self._model.get_ready()

    def budget(self, options: LlmOptions) -> int:
        """Estimated tokens that a chat may have."""
        return self.scale.within(self._limits.tokens - self._within(options).max_tokens) - self._declared

    async def answer(
        self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice = NO_TOOLS
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Pieces of the answer to as much of the chat as fits, and its calls of tools. Raises Upstream."""
        self._answers += 1
        tools = self._fitting(tools, options)
        self._declared = tools_tokens(tools)
        shown = self._fitted(chat, options)
        self._listener.model_asked(self.scale.tokens(self._declared + chat_tokens(shown)))
        try:
            async with aclosing(self._answer(chat, shown, options, tools)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._answers -= 1
            if not self._answers:
                self._listener.model_free()

    async def answer_aside(self, chat: Sequence[Message], options: LlmOptions) -> AsyncGenerator[str, None]:
        """The same for something that no reply waits for: the listener is told nothing."""
        async with aclosing(self._answer(chat, self._fitted(chat, options), options, NO_TOOLS)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    yield piece

    async def _answer(
        self, chat: Sequence[Message], shown: Sequence[Message], options: LlmOptions, tools: ToolChoice
    ) -> AsyncGenerator[str | ToolCall, None]:
        try:
            async with aclosing(self._ask(shown, options, tools)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        except ChatTooLong as refusal:
            self._learn(refusal, shown, options)
            shorter = self._fitted(chat, options)
            if shorter == shown:
                raise
        async with aclosing(self._ask(shorter, options, tools)) as pieces:
            async for piece in pieces:
                yield piece

    def _fitting(self, tools: ToolChoice, options: LlmOptions) -> ToolChoice:
        """The tools that leave room for the call itself. The operator's come first."""
        room = self.scale.within(self._limits.tokens - self._within(options).max_tokens)
        kept = fitting_tools(tools.tools, int(_TOOLS_SHARE * room))
        if len(kept) == len(tools.tools):
            return tools
        if not self._left_out:
            left_out = ", ".join(tool.name for tool in tools.tools[len(kept) :])
            log.warning("LLM_CONTEXT_TOKENS is too small for these tools beside the call; left out: %s", left_out)
        self._left_out = True
        use = tools.use if tools.use.name in {"", *(tool.name for tool in kept)} else AUTO
        return replace(tools, tools=kept, use=use) if kept else NO_TOOLS

    def _fitted(self, chat: Sequence[Message], options: LlmOptions) -> Sequence[Message]:
        return fit(chat, self.budget(options), self._limits.exchanges)

    async def _ask(
        self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice
    ) -> AsyncGenerator[str | ToolCall, None]:
        estimated = chat_tokens(chat) + tools_tokens(tools)
        async with aclosing(self._model.answer(chat, self._within(options), tools)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    self.scale = self.scale.corrected(estimated, piece.prompt_tokens)
                else:
                    yield piece

    def _within(self, options: LlmOptions) -> LlmOptions:
        most = max(1, int(_ANSWER_SHARE * self._limits.tokens))
        return options if options.max_tokens <= most else replace(options, max_tokens=most)

    def _learn(self, refusal: ChatTooLong, shown: Sequence[Message], options: LlmOptions) -> None:
        """After a refusal less is shown: this time surely, and for the rest of the call no more."""
        known, most = self._limits.tokens, round(_SHORTER * (self._declared + chat_tokens(shown)))
        if refusal.limit_tokens:
            self._limits = replace(self._limits, tokens=min(known, refusal.limit_tokens))
            budget = self._declared + self.budget(options)
            if budget > most:  # the estimate was too low; the server's next count corrects it
                self.scale = Scale(self.scale.factor * budget / most)
        else:
            tokens = self.scale.tokens(most) + self._within(options).max_tokens
            self._limits = replace(self._limits, tokens=min(known, tokens))
        if self._limits.tokens < known:
            log.warning("%s; LLM_CONTEXT_TOKENS = %d is too much for it", refusal, known)
