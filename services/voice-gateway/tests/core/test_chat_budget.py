"""Does every chat fit its budget, with its newest exchanges whole?"""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.chat_budget import chat_tokens, fit
from voice_gateway.core.conversation import Conversation, Message, messages


def talk(exchanges: int, words: int = 40) -> list[Message]:
    """A chat of equally long exchanges that says which is which."""
    conversation = Conversation(limit=1000)
    for n in range(1, exchanges + 1):
        conversation = conversation.said(n, f"q{n} " + "word " * words).replied(n, f"a{n} " + "word " * words)
    return list(messages("Be kind.", conversation.said(exchanges + 1, "And now?")))


def shown(chat: list[Message]) -> list[str]:
    return [message.content.split()[0] for message in chat]


def test_a_chat_that_fits_stays_as_it_is() -> None:
    chat = talk(10)
    assert fit(chat, chat_tokens(chat), 50) == chat


def test_the_oldest_exchanges_leave_a_chat_that_does_not_fit() -> None:
    chat = talk(6)
    assert shown(fit(chat, chat_tokens(chat) - 1, 50)) == shown(chat[:1] + chat[3:])


def test_no_more_exchanges_are_shown_than_wanted_although_more_would_fit() -> None:
    assert shown(fit(talk(6), 10_000, 3)) == ["Be", "q5", "a5", "q6", "a6", "And"]
    assert shown(fit(talk(6), 10_000, 1)) == ["Be", "And"]


def test_requests_of_a_long_call_mostly_begin_as_the_one_before() -> None:
    """What a server keeps of the last request is worth something only then."""
    requests = [fit(talk(exchanges), 3000, 1000) for exchanges in range(20, 120)]
    assert all(chat_tokens(request) <= 3000 for request in requests)
    same = sum(one == other[: len(one) - 1] + one[-1:] for one, other in pairwise(requests))
    assert same >= 85


def test_a_tool_call_and_its_results_never_part() -> None:
    chat = [*talk(3), Message("assistant", "I look it up."), Message("tool", "x " * 200), Message("assistant", "Done.")]
    newest = chat[:1] + chat[7:]
    assert shown(newest) == ["Be", "And", "I", "x", "Done."]
    assert fit(chat, chat_tokens(newest), 50) == newest
    following = Message("user", "And then?")
    assert fit([*chat, following], chat_tokens([*newest, following]) - 1, 50) == [chat[0], following]


def test_of_one_exchange_that_does_not_fit_the_summary_goes_first_and_of_a_long_turn_its_beginning() -> None:
    conversation = Conversation(summary="They spoke of tables. " * 100).said(1, "first " * 500 + "last")
    prompt = "Be kind. " * 20
    chat = messages(prompt, conversation)
    system, turn = fit(chat, 400, 50)
    assert system.content.startswith(prompt)
    assert "tables" in system.content
    assert len(system.content) < len(chat[0].content)
    assert turn.content.startswith("…first")
    assert turn.content.endswith("last")
    assert chat_tokens([system, turn]) <= 400


def test_a_huge_tool_result_does_not_cost_the_question() -> None:
    chat = [Message("user", "What is the weather?"), Message("assistant", ""), Message("tool", "sun " * 5000)]
    question, call, result = fit(chat, 500, 50)
    assert (question, call) == tuple(chat[:2])
    assert result.content.startswith("sun sun")
    assert result.content.endswith("…")


_text = st.text(st.sampled_from("ab cé語नम😀 1.,"), max_size=120)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(_text, _text, st.lists(st.tuples(_text, _text), max_size=30), st.integers(200, 2000), st.integers(1, 40))
def test_any_history_fits_with_its_newest_exchanges_in_order_and_alternates_from_the_user_on(
    prompt: str, summary: str, exchanges: list[tuple[str, str]], budget: int, most: int
) -> None:
    conversation = Conversation(limit=1000, summary=summary)
    for n, (words, reply) in enumerate(exchanges):
        conversation = conversation.said(n, words).replied(n, reply)
    chat = list(messages(prompt, conversation.said(len(exchanges), "x" * 30)))
    fitted = fit(chat, budget, most)
    assert chat_tokens(fitted) <= budget
    head = chat[: chat[0].role == "system"]
    turns = fitted[len(head) :]
    assert fitted[: len(head)] == head or len(turns) == 1
    assert turns[0].role == "user"
    assert all({one.role, other.role} == {"user", "assistant"} for one, other in pairwise(turns))
    assert sum(message.role == "user" for message in turns) <= most
    assert len(turns) == 1 or turns == chat[len(chat) - len(turns) :]
    assert len(fitted) == len(chat) or chat_tokens(chat) > budget or sum(m.role == "user" for m in chat) > most
