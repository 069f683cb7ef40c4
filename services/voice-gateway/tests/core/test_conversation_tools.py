"""The model sees every call with its result, in the order servers want, however the reply ended."""

from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.conversation import UNHEARD, Conversation, Message, messages
from voice_gateway.core.tools import Outcome, ToolCall, ToolResult, ToolRound, cancelled

WEATHER, TIME = ToolCall("a", "get_weather", '{"city": "Paris"}'), ToolCall("b", "get_time", "{}")
ROUND = ToolRound("Let me look.", (WEATHER, TIME), (ToolResult("a", "20 degrees"), ToolResult("b", "noon")))
RESULTS = [Message("tool", "20 degrees", call_id="a"), Message("tool", "noon", call_id="b")]
BOOKED = ToolRound("", (ToolCall("c", "book", "{}"),), (ToolResult("c", "booked", may_have_acted=True),))


def asked(*rounds: ToolRound) -> Conversation:
    return Conversation().said(1, "What about Paris?").called(1, rounds)


def test_calls_and_results_stand_between_what_was_said_before_and_after_them() -> None:
    conversation = asked(ROUND).replied(1, "Let me look. It is noon, and 20 degrees.")
    assert messages("", conversation) == [
        Message("user", "What about Paris?"),
        Message("assistant", "Let me look.", (WEATHER, TIME)),
        *RESULTS,
        Message("assistant", "It is noon, and 20 degrees."),
    ]


def test_an_interrupted_reply_keeps_its_calls_and_what_was_heard_of_each_part() -> None:
    heard_all_before = asked(ROUND).truncated(1, "Let me look. It is").said(2, "Stop.")
    assert messages("", heard_all_before)[1:] == [
        Message("assistant", "Let me look.", (WEATHER, TIME)),
        *RESULTS,
        Message("assistant", "It is"),
        Message("user", "Stop."),
    ]
    heard_less = asked(ROUND).truncated(1, "Let me").said(2, "Stop.")
    assert messages("", heard_less)[1:] == [
        Message("assistant", "Let me", (WEATHER, TIME)),
        *RESULTS,
        UNHEARD,
        Message("user", "Stop."),
    ]


def test_what_was_heard_is_parted_by_words_where_its_signs_differ() -> None:
    conversation = asked(ROUND).truncated(1, "Let me  look. Yes, it is")
    assert [message.content for message in messages("", conversation) if message.role == "assistant"] == [
        "Let me look.",
        "Yes, it is",
    ]


def test_a_retracted_reply_whose_tool_has_acted_stays_so_that_it_does_not_act_twice() -> None:
    conversation = (
        Conversation().said(1, "Book a table").called(1, (BOOKED,)).retracted(1).said(2, "Book a table for two")
    )
    assert [(message.role, message.content) for message in messages("", conversation)] == [
        ("user", "Book a table"),
        ("assistant", ""),
        ("tool", "booked"),
        ("assistant", UNHEARD.content),
        ("user", "Book a table for two"),
    ]
    assert Conversation().said(1, "x").called(1, (ROUND,)).retracted(1) == Conversation()


def test_the_size_of_calls_and_results_counts() -> None:
    long = ToolRound("", (WEATHER,), (ToolResult("a", "x" * 200),))
    conversation = Conversation(max_chars=100).said(1, "q").called(1, (long,)).replied(1, "a").said(2, "next")
    assert [entry.n for entry in conversation.exchanges] == [2]


def test_a_call_that_nobody_waits_for_says_whether_it_may_have_acted() -> None:
    assert cancelled(WEATHER, may_have_acted=False).outcome is Outcome.CANCELLED
    assert "may have taken effect" in cancelled(WEATHER, may_have_acted=True).content
    assert "effect" not in cancelled(WEATHER, may_have_acted=False).content


_text = st.sampled_from(["", "one", "two words", "a b c d e"])
_rounds = st.lists(st.tuples(_text, st.integers(1, 3)), max_size=3)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(_text, _rounds, _text, st.integers(0, 12), st.booleans()), max_size=6))
def test_every_history_is_one_that_strict_servers_take(
    turns: list[tuple[str, list[tuple[str, int]], str, int, bool]],
) -> None:
    conversation = Conversation()
    for n, (words, rounds, end, heard, retracted) in enumerate(turns, 1):
        shown = tuple(
            ToolRound(
                said,
                tuple(ToolCall(f"{n}-{r}-{k}", "f", "{}") for k in range(count)),
                tuple(ToolResult(f"{n}-{r}-{k}", "x", may_have_acted=n % 2 == 0) for k in range(count)),
            )
            for r, (said, count) in enumerate(rounds)
        )
        whole = " ".join([*(said for said, _ in rounds), end]).split()
        conversation = conversation.said(n, words or "x").called(n, shown)
        conversation = conversation.truncated(n, " ".join(whole[:heard]))
        conversation = conversation.retracted(n) if retracted else conversation
    chat = [*messages("", conversation.said(99, "last"))]
    owed: list[str] = []
    for before, message in zip([None, *chat], chat, strict=False):
        if message.role == "tool":
            assert message.call_id == owed.pop(0)
        else:
            assert not owed
            owed = [call.id for call in message.calls]
        if message.role == "user":
            assert before is None or before.role == "assistant"
        if message.role == "assistant":
            assert before is not None
            assert before.role in ("user", "tool")
            assert message.content or message.calls
    assert not owed
    told = [message.content for message in chat if message.role == "assistant" and message != UNHEARD]
    assert " ".join(told).split() == [word for entry in conversation.exchanges for word in entry.reply.split()]
