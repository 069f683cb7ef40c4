"""When is a summary due, of what, and how is the model asked for it?"""

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.chat_budget import chat_tokens, message_tokens
from voice_gateway.core.conversation import Conversation, Exchange, Message, messages, shown
from voice_gateway.core.summary import (
    END,
    FIRST_PAUSE_S,
    KEPT,
    MOST_FAILURES,
    START,
    Room,
    SummaryPolicy,
    Tries,
    outgrown,
    request,
    room,
)
from voice_gateway.core.tools import ToolCall, ToolResult, ToolRound

ALL = 10**9
POLICY = SummaryPolicy()


def talk(exchanges: int, words: int = 20) -> Conversation:
    conversation = Conversation(limit=1000)
    for n in range(1, exchanges + 1):
        conversation = conversation.said(n, f"q{n}" + " word" * words).replied(n, f"a{n}" + " word" * words)
    return conversation


def cost(entries: tuple[Exchange, ...]) -> int:
    return sum(message_tokens(message) for entry in entries for message in shown(entry))


def test_a_history_within_seven_tenths_of_its_room_needs_no_summary() -> None:
    conversation = talk(35)
    assert not outgrown(conversation, Room(ALL, 50), ALL)
    assert not outgrown(conversation, Room(round(cost(conversation.exchanges) / START) + 1, ALL), ALL)
    assert not outgrown(Conversation(), Room(0, 1), ALL)


def test_one_that_has_outgrown_it_is_cut_to_four_tenths_at_the_oldest_end() -> None:
    assert [entry.n for entry in outgrown(talk(36), Room(ALL, 50), ALL)] == list(range(1, 17))
    conversation = talk(36)
    whole = cost(conversation.exchanges)
    oldest = outgrown(conversation, Room(round(whole / START) - 10, ALL), ALL)
    assert oldest == conversation.exchanges[: len(oldest)]
    assert 0 <= END * whole / START - (whole - cost(oldest)) < 1.5 * whole / 36


def test_what_may_still_change_is_not_summarised_nor_are_the_newest() -> None:
    assert [entry.n for entry in outgrown(talk(36), Room(ALL, 50), settled_before=6)] == [1, 2, 3, 4, 5]
    assert not outgrown(talk(36), Room(ALL, 50), settled_before=0)
    assert len(outgrown(talk(36), Room(0, 50), ALL)) == 36 - KEPT
    assert len(outgrown(talk(36), Room(ALL, 1), ALL)) == 35


def test_a_summary_is_no_request_a_turn_where_little_is_shown() -> None:
    assert [len(outgrown(talk(exchanges), Room(ALL, 4), exchanges - 1)) for exchanges in range(1, 9)] == [
        *[0] * 5,
        *[4, 5, 6],
    ]
    assert not outgrown(talk(6, words=1), Room(0, 50), ALL)
    assert len(outgrown(talk(6, words=90), Room(0, 50), ALL)) == 2


def test_prompt_answer_and_the_longest_summary_have_their_place_beside_the_history() -> None:
    prompt, budget = "Be kind. " * 30, 4000
    left = room(prompt, budget, 50, POLICY)
    conversation = talk(1).summarised(1, "word " * 1000)
    beside = chat_tokens(messages(prompt, conversation)) - 1251 + POLICY.tokens
    assert left.tokens == pytest.approx(budget - beside, abs=3)
    assert room("word " * 9000, budget, 50, POLICY).tokens == 0


def test_the_request_names_the_language_the_notes_so_far_and_what_was_said_and_heard() -> None:
    calls = ToolRound(
        "One moment.", (ToolCall("1", "look_up", '{"what": "table"}'),), (ToolResult("1", "one is\n free"),)
    )
    entries = (
        Exchange(1, "", "Hello."),
        Exchange(2, "a table\nplease", "One moment. One is free.", rounds=(calls,)),
        Exchange(3, "for two", "Of cou", cut=True),
        Exchange(4, "stop", "", cut=True),
    )
    (system, user), through = request(POLICY, "de-DE", "Rosa calls.", entries, 4000)
    assert system == Message("system", POLICY.prompt)
    assert user.content.splitlines() == [
        "Language: de-DE",
        "",
        "Notes so far:",
        "Rosa calls.",
        "",
        "Said since:",
        "Agent: Hello.",
        "Caller: a table please",
        'Result of look_up({"what": "table"}): one is free',
        "Agent: One moment. One is free.",
        "Caller: for two",
        "Agent (interrupted): Of cou",
        "Caller: stop",
    ]
    assert through == 4


def test_a_first_request_has_no_notes() -> None:
    chat, _ = request(POLICY, "en-US", "", talk(1, 1).exchanges, 4000)
    assert chat[1].content == "Language: en-US\n\nSaid since:\nCaller: q1 word\nAgent: a1 word"


_text = st.text(st.sampled_from("ab cनम😀 .\n"), max_size=200)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(_text, st.lists(st.tuples(_text, _text), min_size=1, max_size=20), st.integers(600, 3000))
def test_a_request_fits_with_as_many_of_the_oldest_as_there_is_place_for(
    notes: str, said: list[tuple[str, str]], budget: int
) -> None:
    entries = tuple(Exchange(n, words, reply) for n, (words, reply) in enumerate(said))
    chat, through = request(POLICY, "hi-IN", notes, entries, budget)
    assert chat_tokens(chat) <= budget or through == 0
    whole, last = request(POLICY, "hi-IN", notes, entries, ALL)
    assert last == len(entries) - 1
    assert through == last or chat_tokens(request(POLICY, "hi-IN", notes, entries[: through + 2], ALL)[0]) > budget
    assert whole[1].content.startswith(chat[1].content) or budget < 1200


def test_a_huge_turn_is_shown_in_part_so_that_it_can_be_summarised_at_all() -> None:
    chat, through = request(POLICY, "en-US", "Rosa calls.", (Exchange(7, "word " * 9000, "Yes."),), 1000)
    assert through == 7
    assert chat_tokens(chat) <= 1000
    assert "Rosa calls." in chat[1].content
    assert chat[1].content.endswith("…\nAgent: Yes.")


def test_failures_are_followed_by_longer_and_longer_pauses_and_then_by_nothing() -> None:
    tries, now, pauses = Tries(), 100.0, []
    for _ in range(MOST_FAILURES):
        assert tries.may_start(now)
        tries = tries.failed(now)
        assert not tries.may_start(now)
        pauses.append(tries.not_before - now)
        now = tries.not_before
    assert pauses == [FIRST_PAUSE_S * 2**n for n in range(MOST_FAILURES)]
    assert not tries.may_start(inf)


def test_a_summary_gives_way_twice_in_a_row() -> None:
    assert [Tries().may_yield, Tries().gave_way().may_yield, Tries().gave_way().gave_way().may_yield] == [
        True,
        True,
        False,
    ]
