"""The language model remembers what was heard, and nothing else."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from voice_gateway.core.conversation import CALL_BEGINS, Conversation, Exchange, Message, messages

NOTE = ("user", CALL_BEGINS.content)


def chat(conversation: Conversation, prompt: str = "") -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in messages(prompt, conversation)]


def test_turns_and_replies_stand_in_their_order_after_the_prompt() -> None:
    conversation = Conversation().said(1, "hi").replied(1, "Hello.").said(2, "bye")
    assert messages("Be kind.", conversation) == [
        Message("system", "Be kind."),
        Message("user", "hi"),
        Message("assistant", "Hello."),
        Message("user", "bye"),
    ]


def test_an_empty_prompt_is_no_message() -> None:
    assert chat(Conversation().said(1, "hi")) == [("user", "hi")]
    assert chat(Conversation()) == []


def test_an_interrupted_reply_is_what_was_heard_of_it() -> None:
    conversation = Conversation().said(1, "hi").truncated(1, "Hello")
    assert conversation.exchanges == (Exchange(1, "hi", "Hello", cut=True),)
    assert chat(conversation.said(2, "stop")) == [("user", "hi"), ("assistant", "Hello"), ("user", "stop")]


def test_a_reply_of_which_nothing_was_heard_leaves_the_words_to_the_next_turn() -> None:
    conversation = Conversation().said(1, "what time").truncated(1, "").said(2, "is it")
    assert chat(conversation) == [("user", "what time\nis it")]


def test_a_retracted_reply_takes_its_words_along_because_they_come_again() -> None:
    conversation = Conversation().said(1, "what").said(2, "what time is it")
    assert chat(conversation.retracted(1)) == [("user", "what time is it")]


def test_an_amended_reply_replaces_what_was_thought_heard() -> None:
    conversation = Conversation().said(1, "hi").truncated(1, "Hello you").said(2, "no").truncated(1, "Hello")
    assert [entry.reply for entry in conversation.exchanges] == ["Hello", ""]


def test_a_reply_that_is_not_known_changes_nothing() -> None:
    conversation = Conversation().said(1, "hi")
    assert conversation.replied(7, "x") == conversation.truncated(7, "x") == conversation.retracted(7) == conversation


def test_a_greeting_and_what_is_asked_into_silence_are_one_message_because_no_turn_parts_them() -> None:
    conversation = Conversation().said(1, "").replied(1, "Welcome.").said(2, "").replied(2, "Are you there?")
    assert chat(conversation.said(3, "yes")) == [NOTE, ("assistant", "Welcome.\nAre you there?"), ("user", "yes")]


def test_roles_alternate_whatever_happened() -> None:
    conversation = Conversation()
    for n, (words, reply) in enumerate([("", "a"), ("", "b"), ("c", ""), ("d", "e"), ("", "f"), ("g", "")], 1):
        conversation = conversation.said(n, words).replied(n, reply)
    roles = [role for role, _ in chat(conversation)]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


def test_a_greeting_is_known_to_the_model_after_a_first_user_message() -> None:
    greeted = Conversation().said(1, "").replied(1, "Welcome.").said(2, "hi")
    assert chat(greeted, "Be kind.") == [("system", "Be kind."), NOTE, ("assistant", "Welcome."), ("user", "hi")]


def test_a_greeting_cut_before_a_word_was_heard_needs_no_note() -> None:
    assert chat(Conversation().said(1, "").truncated(1, "").said(2, "hi")) == [("user", "hi")]


def test_a_history_that_its_limit_lets_begin_with_an_idle_prompt_begins_with_the_user_all_the_same() -> None:
    conversation = Conversation(limit=2).said(1, "q").replied(1, "a").said(2, "").replied(2, "Still there?")
    assert chat(conversation.said(3, "yes")) == [NOTE, ("assistant", "Still there?"), ("user", "yes")]


_exchanges = st.lists(st.tuples(*[st.sampled_from(["", " ", "one", "two words"])] * 2, st.booleans()), max_size=12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_exchanges, st.integers(1, 5), st.sampled_from(["", "\n", "Be kind."]))
def test_every_history_alternates_from_the_user_on_and_loses_no_word(
    exchanges: list[tuple[str, str, bool]], limit: int, prompt: str
) -> None:
    conversation = Conversation(limit=limit)
    for n, (words, reply, cut) in enumerate(exchanges):
        said = conversation.said(n, words)
        conversation = said.truncated(n, reply) if cut else said.replied(n, reply)
    shown = list(messages(prompt, conversation))
    assert [entry.content for entry in shown if entry.role == "system"] == ([prompt] if prompt.strip() else [])
    rest = shown[bool(prompt.strip()) :]
    assert not rest or rest[0].role == "user"
    assert all({one.role, other.role} == {"user", "assistant"} for one, other in pairwise(rest))
    told = " ".join(entry.content for entry in rest if entry != CALL_BEGINS).split()
    kept = conversation.exchanges
    assert told == " ".join(text for entry in kept for text in (entry.words, entry.reply)).split()


def test_only_the_last_exchanges_are_remembered() -> None:
    conversation = Conversation(limit=2)
    for n in range(1, 5):
        conversation = conversation.said(n, f"q{n}").replied(n, f"a{n}")
    assert [entry.n for entry in conversation.exchanges] == [3, 4]


def test_long_exchanges_are_forgotten_before_short_ones() -> None:
    conversation = Conversation(limit=50, max_chars=100)
    for n in range(1, 9):
        conversation = conversation.said(n, "q" * 20).replied(n, "a" * 20)
    assert [entry.n for entry in conversation.exchanges] == [6, 7, 8]
    assert [entry.n for entry in conversation.said(9, "x" * 500).exchanges] == [7, 8, 9]
    assert [entry.n for entry in conversation.said(9, "x" * 500).said(10, "y").exchanges] == [10]


def test_words_that_were_misheard_are_corrected_where_they_stand() -> None:
    spoken = Conversation().said(1, "a cable").said(2, "a cable by the river")
    corrected = spoken.corrected(2, "a cable", "a table")
    assert [entry.words for entry in corrected.exchanges] == ["a cable", "a table by the river"]
    assert spoken.corrected(2, "of no turn", "a table") == spoken
