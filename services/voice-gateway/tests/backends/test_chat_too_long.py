"""Are refusals for a chat's length told from others, and does a server that knows less get a smaller question?"""

import pytest
from fake_llm import Answer
from served_model import model
from voice_gateway.backends.chat_too_long import limit_of
from voice_gateway.backends.openai_llm import OpenAiModel
from voice_gateway.core.conversation import Message
from voice_gateway.core.events import LlmOptions
from voice_gateway.core.tokens import Usage
from voice_gateway.core.tools import ToolCall
from voice_gateway.errors import Broken, ChatTooLong

CHAT = [Message("user", "What is the weather like in Paris today?")]


@pytest.mark.parametrize(
    ("status", "message", "limit"),
    [
        (
            400,
            "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8744 in the "
            "messages, 256 in the completion). Please reduce the length of the messages or completion.",
            8192,
        ),
        (
            400,
            "'max_tokens' or 'max_completion_tokens' is too large: 256. This model's maximum context length is 4096 "
            "tokens and your request has 4000 input tokens (256 > 4096 - 4000).",
            4096,
        ),
        (
            400,
            "You passed 9000 input tokens and requested 256 output tokens. However, the model's context length is only "
            "8192 tokens, resulting in a maximum input length of 7936 tokens.",
            8192,
        ),
        (400, "The input (9000 tokens) is longer than the model's context length (8192 tokens).", 8192),
        (400, "request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it", 4096),
        (400, "the request exceeds the available context size. try increasing the context size", 0),
        (
            400,
            "The sum of prompt length (9000.0) and query length (0) should not exceed max_num_tokens (8192)",
            8192,
        ),
        (
            422,
            "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 256 `max_new_tokens`",
            4096,
        ),
        (413, "Prompt is too long", 0),
        (400, "temperature must be at most 2", None),
        (400, "Conversation roles must alternate user/assistant/user/assistant/...", None),
        (404, "The model `m` does not exist; its context length is unknown", None),
        (500, "context length exceeded", None),
    ],
)
def test_what_servers_say_of_a_chat_that_is_too_long(status: int, message: str, limit: int | None) -> None:
    assert limit_of(status, message, {"message": message, "code": status}) == limit


def test_a_reason_with_a_name_needs_no_known_sentence_and_llama_cpp_tells_the_size_in_a_field() -> None:
    assert limit_of(400, "zu lang", {"code": "context_length_exceeded"}) == 0
    assert limit_of(400, "too much", {"type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 4096}) == 4096
    assert limit_of(400, "no JSON at all", None) is None


async def ask(asked: OpenAiModel) -> list[str | ToolCall | Usage]:
    return [piece async for piece in asked.answer(CHAT, LlmOptions("m", 0.0, 8))]


async def test_what_the_server_has_read_comes_with_the_answer() -> None:
    async with model() as (asked, server):
        server.context_tokens = 1000
        assert await ask(asked) == ["All ", "right. ", Usage(6 + len(CHAT[0].content) // 3)]


async def test_a_chat_that_is_too_long_is_an_error_of_its_own_that_knows_the_limit() -> None:
    async with model() as (asked, server):
        server.context_tokens = 20
        with pytest.raises(ChatTooLong, match="maximum context length") as caught:
            await ask(asked)
        assert (caught.value.limit_tokens, caught.value.retryable, caught.value.kind) == (20, False, "broken")


async def test_a_server_that_knows_no_stream_options_is_asked_without_and_not_with_them_again() -> None:
    async with model(Answer(status=422, refusal="extra fields not permitted: stream_options")) as (asked, server):
        assert await ask(asked) == await ask(asked) == ["All ", "right. "]
        assert ["stream_options" in request.body for request in server.asked] == [True, False, False]


async def test_another_refusal_is_told_at_once() -> None:
    async with model(Answer(status=400)) as (asked, server):
        with pytest.raises(Broken, match="refused on purpose"):
            await ask(asked)
        assert len(server.asked) == 1
