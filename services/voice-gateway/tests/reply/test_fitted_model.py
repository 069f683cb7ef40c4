"""Is every request of a call within what its model takes, also where estimate or settings are wrong?"""

from collections.abc import AsyncGenerator, Sequence

import pytest
from voice_gateway.core.chat_budget import chat_tokens, tools_tokens
from voice_gateway.core.conversation import Conversation, Message, messages
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.tokens import Usage
from voice_gateway.core.tools import NO_TOOLS, Tool, ToolCall, ToolChoice, ToolUse
from voice_gateway.errors import Broken, ChatTooLong
from voice_gateway.reply.fitted_model import ContextLimits, FittedModel

OPTIONS = LlmOptions("m", 0.0, 256)


class Model:
    """A model that takes `limit` tokens, of which an estimated one is `factor`."""

    def __init__(self, limit: int = 10**9, factor: float = 1.0, *, tells: bool = True) -> None:
        self.limit, self.factor, self.tells = limit, factor, tells
        self.asked: list[tuple[list[Message], LlmOptions]] = []
        self.closed = 0
        self.declared: list[tuple[Tool, ...]] = []
        self.uses: list[ToolUse] = []

    async def get_ready(self) -> None:
        """Nothing."""

    def tokens(self, chat: Sequence[Message], tools: ToolChoice = NO_TOOLS) -> int:
        return round(self.factor * (chat_tokens(chat) + tools_tokens(tools)))

    async def answer(
        self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice = NO_TOOLS
    ) -> AsyncGenerator[str | ToolCall | Usage, None]:
        self.asked.append((list(chat), options))
        self.declared.append(tools.tools)
        self.uses.append(tools.use)
        try:
            if self.tokens(chat, tools) + options.max_tokens > self.limit:
                raise ChatTooLong("too long", self.limit if self.tells else 0)
            yield "All right."
            yield Usage(self.tokens(chat, tools))
        finally:
            self.closed += 1


class Listener:
    """Notes when replies need the model."""

    def __init__(self) -> None:
        self.told: list[int | str] = []

    def model_asked(self, tokens: int) -> None:
        self.told.append(tokens)

    def model_free(self) -> None:
        self.told.append("free")


def fitted_to(model: Model, tokens: int = 2000) -> FittedModel:
    return FittedModel(model, ContextLimits(tokens, 1000), Listener())


def talk(exchanges: int) -> Sequence[Message]:
    conversation = Conversation(limit=1000)
    for n in range(exchanges):
        conversation = conversation.said(n, "word " * 40).replied(n, "word " * 40)
    return messages("Be kind.", conversation.said(exchanges, "And now?"))


async def ask(fitted: FittedModel, chat: Sequence[Message], tools: ToolChoice = NO_TOOLS) -> str:
    return "".join([str(piece) async for piece in fitted.answer(chat, OPTIONS, tools)])


async def test_an_answer_has_its_place_in_the_context() -> None:
    model = Model()
    listener = Listener()
    await ask(FittedModel(model, ContextLimits(2000, 1000), listener), talk(100))
    ((chat, options),) = model.asked
    assert 1000 < chat_tokens(chat) <= 2000 - 256
    assert options == OPTIONS
    assert listener.told == [chat_tokens(chat), "free"]


async def test_declared_tools_take_their_place_too() -> None:
    model, tools = Model(2000), ToolChoice((Tool("look_up", "Looks something up. " * 40),))
    await ask(fitted_to(model), talk(100), tools)
    ((chat, _),) = model.asked
    assert tools_tokens(tools) > 150
    assert 1000 < chat_tokens(chat) + tools_tokens(tools) <= 2000 - 256


async def test_an_answer_is_asked_for_that_takes_half_of_the_context_at_most() -> None:
    model = Model()
    fitted = fitted_to(model, 1024)
    async for _ in fitted.answer(talk(1), LlmOptions("m", 0.0, 4096)):
        pass
    assert model.asked[0][1].max_tokens == 512


async def test_a_language_that_takes_more_tokens_than_estimated_is_known_after_its_first_answer() -> None:
    model = Model(2000, factor=1.8)
    fitted = fitted_to(model)
    for exchanges in range(0, 100, 2):
        assert await ask(fitted, talk(exchanges)) == "All right."
    assert len(model.asked) == 50


@pytest.mark.parametrize("tells", [True, False])
async def test_a_server_that_takes_less_than_the_operator_said_is_asked_with_less_once_and_believed_then(
    tells: bool, caplog: pytest.LogCaptureFixture
) -> None:
    model = Model(1500, tells=tells)
    fitted = fitted_to(model)
    assert await ask(fitted, talk(100)) == "All right."
    assert [len(chat) for chat, _ in model.asked] == sorted((len(chat) for chat, _ in model.asked), reverse=True)
    assert len(model.asked) == model.closed == 2
    assert "LLM_CONTEXT_TOKENS = 2000 is too much" in caplog.text
    assert await ask(fitted, talk(100)) == "All right."
    assert len(model.asked) == 3


async def test_an_estimate_that_was_too_low_is_corrected_by_the_refusal() -> None:
    model = Model(2000, factor=1.3)
    fitted = fitted_to(model)
    assert [await ask(fitted, talk(100)) for _ in range(20)] == ["All right."] * 20
    assert len(model.asked) == 21


async def test_a_chat_that_is_refused_again_fails() -> None:
    model = Model(0)
    with pytest.raises(ChatTooLong):
        await ask(fitted_to(model), talk(100))
    assert len(model.asked) == model.closed == 2


async def test_another_failure_is_no_reason_to_ask_again() -> None:
    class Failing(Model):
        async def answer(
            self, chat: Sequence[Message], options: LlmOptions, tools: ToolChoice = NO_TOOLS
        ) -> AsyncGenerator[str | ToolCall | Usage, None]:
            self.asked.append((list(chat), options))
            if options:
                raise Broken("llm", "it broke")
            yield ""

    model = Failing()
    with pytest.raises(Broken, match="it broke"):
        await ask(fitted_to(model), talk(1))
    assert len(model.asked) == 1


async def test_nobody_is_told_of_what_is_asked_aside_and_the_model_is_free_when_the_last_answer_ends() -> None:
    listener = Listener()
    fitted = FittedModel(Model(), ContextLimits(2000, 1000), listener)
    one, other = fitted.answer(talk(1), OPTIONS), fitted.answer(talk(2), OPTIONS)
    is_asked = [fitted.is_asked]
    assert [await anext(one), await anext(other)] == ["All right."] * 2
    assert [piece async for piece in fitted.answer_aside(talk(100), OPTIONS)] == ["All right."]
    is_asked.append(fitted.is_asked)
    await one.aclose()
    is_asked.append(fitted.is_asked)
    assert "free" not in listener.told
    await other.aclose()
    assert [*is_asked, fitted.is_asked] == [False, True, True, False]
    assert listener.told[2:] == ["free"]


async def test_tools_that_leave_no_room_for_the_call_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Of a client's tools the last ones: what was said must be shown, and 1744 tokens are left beside the answer."""
    model = Model(2000)
    fitted = fitted_to(model)
    tools = tuple(Tool(f"tool_{n}", "x" * 900, "{}", False, 5.0, "client") for n in range(9))
    said = messages("You are an agent.", Conversation().said(1, "What time is it?"))
    for _ in range(2):
        assert [piece async for piece in fitted.answer(said, OPTIONS, ToolChoice(tools))] == ["All right."]
    (chat, _), *_ = model.asked
    assert [message.content for message in chat] == ["You are an agent.", "What time is it?"]
    assert 0 < len(model.declared[0]) < len(tools)
    assert model.declared[0] == tools[: len(model.declared[0])]
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == [
        ", ".join(tool.name for tool in tools[len(model.declared[0]) :])
    ]


async def test_one_tool_that_is_larger_than_the_context_is_not_declared() -> None:
    model = Model(2000)
    huge = Tool("huge", "x" * 60_000, "{}", False, 5.0, "client")
    said = messages("", Conversation().said(1, "What time is it?"))
    small = Tool("small", "", "{}", False, 5.0, "client")
    for tools in ((huge,), (small, huge)):
        choice = ToolChoice(tools, use=ToolUse("required", "huge"))
        assert [piece async for piece in fitted_to(model).answer(said, OPTIONS, choice)] == ["All right."]
    assert model.declared == [(), (small,)]
    assert [use.name for use in model.uses] == ["", ""], "what is not declared must not be called"
