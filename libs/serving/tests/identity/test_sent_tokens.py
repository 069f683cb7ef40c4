"""One token of one request, from wherever a client can put it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving.identity.errors import Ambiguous, Missing
from serving.identity.sent_tokens import offered_token, sent_token

PLACES = {
    "authorization": [("authorization", "Bearer t1")],
    "other letters": [("Authorization", "bEaReR t1")],
    "spaces": [("authorization", "Bearer   t1 ")],
    "an API key": [("x-api-key", "t1")],
    "Azure's": [("Api-Key", "t1")],
    "a browser's": [("Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.t1, openai-beta.realtime-v1")],
    "the same twice": [("api-key", "t1"), ("authorization", "Bearer t1")],
    "beside another scheme": [("authorization", "Basic dTpw"), ("x-api-key", "t1")],
}


@pytest.mark.parametrize("place", PLACES)
def test_a_token_is_found_in_each_place(place: str) -> None:
    assert sent_token(PLACES[place]) == "t1"


@pytest.mark.parametrize(
    "headers",
    [[], [("authorization", "")], [("authorization", "Bearer ")], [("authorization", "t1")], [("x-api-key", " ")],
     [("authorization", b"Bearer t1")], [("authorization-bin", b"t1")], [("sec-websocket-protocol", "realtime")]],
)  # fmt: skip
def test_none_is_none(headers: list[tuple[str, str | bytes]]) -> None:
    with pytest.raises(Missing):
        sent_token(headers)


@pytest.mark.parametrize(
    "headers",
    [[("authorization", "Bearer t1"), ("authorization", "Bearer t2")],
     [("authorization", "Bearer t1"), ("Authorization", "Bearer t1")],
     [("authorization", "Bearer t1"), ("x-api-key", "t2")],
     [("sec-websocket-protocol", "openai-insecure-api-key.t1, openai-insecure-api-key.t2")],
     [("sec-websocket-protocol", "openai-insecure-api-key.t1"), ("authorization", "Bearer t2")]],
)  # fmt: skip
def test_several_are_refused(headers: list[tuple[str, str | bytes]]) -> None:
    with pytest.raises(Ambiguous):
        sent_token(headers)


def test_what_a_browser_offers() -> None:
    assert offered_token("realtime, openai-insecure-api-key.ek_1.2-3_4") == "ek_1.2-3_4"
    assert offered_token("realtime") is None


@given(st.lists(st.tuples(st.sampled_from(["authorization", "x-api-key", "sec-websocket-protocol"]), st.text())))
def test_any_headers_give_one_token_or_a_refusal(headers: list[tuple[str, str | bytes]]) -> None:
    try:
        assert sent_token(headers)
    except (Missing, Ambiguous):
        return
