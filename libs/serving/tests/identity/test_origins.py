"""A page of another origin reaches a server from a browser only when the operator wants it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving.identity.origins import is_allowed, parse


@pytest.mark.parametrize(
    ("origin", "host", "peer"),
    [
        ("", "voice.example", "10.0.0.1"),
        ("https://voice.example", "voice.example", "10.0.0.1"),
        ("https://Voice.Example:443", "voice.example", "10.0.0.1"),
        ("http://voice.example:8090", "voice.example:8090", "10.0.0.1"),
        ("http://localhost:8090", "localhost:8090", "127.0.0.1"),
        ("http://[::1]:8090", "[::1]:8090", "::1"),
        ("http://127.0.0.1:8090", "127.0.0.1:8090", "::ffff:127.0.0.1"),
    ],
)
def test_pages_of_the_server_itself_and_programs_may(origin: str, host: str, peer: str) -> None:
    assert is_allowed(origin, (), host, peer)


@pytest.mark.parametrize(
    ("origin", "host", "peer"),
    [
        ("https://evil.example", "voice.example", "10.0.0.1"),
        ("https://voice.example.evil.example", "voice.example", "10.0.0.1"),
        ("https://voice.example:8443", "voice.example", "10.0.0.1"),
        ("http://localhost:3000", "localhost:8090", "127.0.0.1"),
        ("null", "voice.example", "10.0.0.1"),
        ("file://", "voice.example", "10.0.0.1"),
        ("https://voice.example:99999", "voice.example", "10.0.0.1"),
        ("garbage", "garbage", "10.0.0.1"),
        ("http://rebound.example:8090", "rebound.example:8090", "127.0.0.1"),
        ("http://rebound.example:8090", "rebound.example:8090", "::1"),
    ],
)
def test_pages_of_others_may_not(origin: str, host: str, peer: str) -> None:
    assert not is_allowed(origin, (), host, peer)
    assert is_allowed(origin, ("*",), host, peer)
    assert not is_allowed(origin, ("https://app.example",), host, peer)


def test_listed_pages_may() -> None:
    allowed = parse("https://app.example, HTTP://localhost:3000")
    assert is_allowed("https://app.example", allowed, "voice.example", "10.0.0.1")
    assert is_allowed("http://localhost:3000", allowed, "voice.example", "10.0.0.1")
    assert is_allowed("https://voice.example", allowed, "voice.example", "10.0.0.1")


@pytest.mark.parametrize("text", ["app.example", "https://app.example/", "https://a b", "https://u@app.example"])
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        parse(text)


@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=30))
def test_any_texts_give_an_answer(origin: str, host: str, peer: str) -> None:
    assert is_allowed(origin, (), host, peer) in (True, False)
