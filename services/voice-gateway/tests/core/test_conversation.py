"""The language model remembers what was heard, and nothing else."""

from voice_gateway.core.conversation import Conversation, Exchange, Message, messages


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
    assert chat(conversation.said(3, "yes")) == [("assistant", "Welcome.\nAre you there?"), ("user", "yes")]


def test_roles_alternate_whatever_happened() -> None:
    conversation = Conversation()
    for n, (words, reply) in enumerate([("", "a"), ("", "b"), ("c", ""), ("d", "e"), ("", "f"), ("g", "")], 1):
        conversation = conversation.said(n, words).replied(n, reply)
    roles = [role for role, _ in chat(conversation)]
    assert roles == ["assistant", "user", "assistant", "user"]


def test_only_the_last_exchanges_are_remembered() -> None:
    conversation = Conversation(limit=2)
    for n in range(1, 5):
        conversation = conversation.said(n, f"q{n}").replied(n, f"a{n}")
    assert [entry.n for entry in conversation.exchanges] == [3, 4]
