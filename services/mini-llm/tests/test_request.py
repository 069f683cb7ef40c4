"""A request that cannot be answered is refused with a sentence that names what is wrong."""

import json
from typing import Any

import pytest
from mini_llm.request import RequestRefused, parse_request

HELLO = [{"role": "user", "content": "hello"}]


def refused(body: Any) -> RequestRefused:
    """The refusal of a body."""
    with pytest.raises(RequestRefused) as caught:
        parse_request(body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


@pytest.mark.parametrize(
    ("body", "param", "sentence"),
    [
        (b"{nope", None, "not valid JSON"),
        (b"\xff\xfe", None, "not valid JSON"),
        (b"[" * 100_000, None, "not valid JSON"),
        (b"", None, "not valid JSON"),
        ([], None, "must be a JSON object"),
        ({}, "messages", "Field required"),
        ({"messages": []}, "messages", "at least 1 item"),
        ({"messages": "hello"}, "messages", "valid list"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role", "'system', 'developer', 'user'"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "valid string"),
        ({"messages": HELLO, "stream": "yes"}, "stream", "valid boolean"),
        ({"messages": HELLO, "max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"messages": HELLO, "max_tokens": "12"}, "max_tokens", "valid integer"),
        ({"messages": HELLO, "temperature": 3}, "temperature", "less than or equal to 2"),
        ({"messages": HELLO, "n": 2}, "n", "less than or equal to 1"),
        ({"messages": HELLO, "model": 7}, "model", "valid string"),
        ({"messages": HELLO, "stream_options": {"include_usage": True}}, "stream_options", "only allowed"),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence(body: Any, param: str | None, sentence: str) -> None:
    refusal = refused(body)
    assert refusal.status == 400
    assert refusal.param == param
    assert sentence in refusal.message


def test_text_parts_are_joined_and_unknown_fields_are_accepted() -> None:
    parts = [{"type": "text", "text": "hello"}, {"type": "text", "text": "there"}]
    body = {"messages": [{"role": "user", "content": parts, "name": "x"}], "seed": 1, "tools": None}
    assert parse_request(json.dumps(body).encode()).conversation.last_user_text == "hello\nthere"


def test_the_smaller_token_limit_counts() -> None:
    body = {"messages": HELLO, "max_tokens": 9, "max_completion_tokens": 5}
    assert parse_request(json.dumps(body).encode()).token_limit == 5
    assert parse_request(json.dumps({"messages": HELLO}).encode()).token_limit is None


def test_system_and_tool_messages_are_not_spoken() -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "42"},
    ]
    talk = parse_request(json.dumps({"messages": messages}).encode()).conversation
    assert talk.system == "Be kind."
    assert [message.role for message in talk.messages] == ["user"]
