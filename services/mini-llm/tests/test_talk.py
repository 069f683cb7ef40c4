"""Conversations: what the caller says, and what the agent answers."""

import time
from datetime import datetime

import pytest
from mini_llm.conversation import conversation
from mini_llm.interrupted_reply import left_unsaid, left_unsaid_of_any
from mini_llm.responder import respond
from mini_llm.rulebook import load_rulebook

NOW = datetime(2026, 3, 3, 15, 5)
CLARA = ("system", "You are Clara, a friendly voice agent. Keep answers short.")
STORY = load_rulebook().intent("story").answers["plain"][0]
Talk = list[tuple[str, str]]


def answer(talk: Talk) -> str:
    """The agent's answer to the last message."""
    return respond(conversation(talk), NOW)


def converse(*said: str, talk: Talk | None = None) -> list[str]:
    """Say one thing after another; every answer is heard to its end."""
    history, answers = list(talk or []), []
    for text in said:
        history.append(("user", text))
        answers.append(answer(history))
        history.append(("assistant", answers[-1]))
    return answers


def test_the_agent_remembers_the_callers_name() -> None:
    answers = converse("What is my name?", "My name is Peter.", "tell me a joke", "what's my name", "Thank you!")
    assert answers[0] == "You have not told me your name yet. What is it?"
    assert answers[1] == "Nice to meet you, Peter."
    assert answers[3] == "You told me that your name is Peter."
    assert answers[4] == "You are welcome, Peter."


def test_the_name_told_last_counts() -> None:
    assert converse("my name is anna", "please call me Zoltan", "who am i")[-1] == "Your name is Zoltan."


def test_being_tired_is_not_a_name() -> None:
    assert converse("I am tired", "what is my name")[-1] == "You have not told me your name yet. What is it?"


def test_the_agent_remembers_colors_and_cities() -> None:
    said = ("my favorite color is green", "I live in New York.", "what is my favorite color", "where do I live")
    assert converse(*said)[2:] == ["Your favorite color is green.", "You told me about New York."]


def test_the_agent_knows_what_was_said() -> None:
    answers = converse("what did I say", "go forward 10 meters", "What did I say?", "what did I say first")
    assert answers[0] == "You have not said anything before that."
    assert answers[2] == "Your words were: go forward 10 meters."
    assert answers[3] == "The first thing you said was: what did I say."


def test_say_again_repeats_the_last_answer() -> None:
    answers = converse("what is seven times eight", "say that again please")
    assert answers[1] == "I said: Seven times eight is fifty six."


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("what is seven times eight", "Seven times eight is fifty six."),
        ("What's 7 x 8?", "Seven times eight is fifty six."),
        ("how much is twelve minus twenty", "Twelve minus twenty is minus eight."),
        ("ten divided by four please", "Ten divided by four is two point five."),
        ("What is 10 / 3?", "Ten divided by three is about three point three three."),
        ("what is five divided by zero", "Nobody can divide by zero, not even I."),
        ("what is 999999999999 times 999999999999", "That number is too big for me to say."),
        ("what is twelve squared", "Twelve squared is one hundred forty four."),
        ("what time is it", "It is three oh five in the afternoon."),
        ("What day is it today?", "Today is Tuesday, the third of March, twenty twenty six."),
        ("what day is tomorrow", "Tomorrow is Wednesday, the fourth of March."),
        ("what year is it", "It is March, twenty twenty six."),
        ("spell banana", "Banana is spelled: B, A, N, A, N, A."),
        ("Repeat after me: the quick brown fox!", "The quick brown fox."),
        ("count to three", "One, two, three."),
        ("count from 8 to 12", "Eight, nine, ten, eleven, twelve."),
        ("count down from three", "Three, two, one, zero."),
        ("count to two hundred", "That is too far for me. I count one hundred steps at most."),
        ("could you maybe tell me the time right now", "It is three oh five in the afternoon."),
    ],
)
def test_a_question_gets_its_answer(question: str, expected: str) -> None:
    assert answer([("user", question)]) == expected


def test_several_sentences_are_answered_one_after_another() -> None:
    said = "Hello there. What time is it? And what is two plus two?"
    assert answer([("user", said)]) == "It is three oh five in the afternoon. Two plus two is four."


def test_jokes_are_not_told_twice_in_a_row() -> None:
    answers = converse("tell me a joke", "another joke", "one more joke")
    assert len(set(answers)) == 3


def test_what_is_not_understood_is_repeated() -> None:
    answers = converse("Go forward 10 meters.", "purple elephants")
    assert answers[0].startswith("I heard: Go forward 10 meters. I answer by rules")
    assert answers[1] == "I heard: purple elephants. No rule of mine fits. Say help to hear what I know."
    assert "a real model" in answers[0]
    assert "LLM_BASE_URL" in answers[0]


def test_a_denied_order_is_not_obeyed() -> None:
    assert answer([("user", "do not tell me a joke")]).startswith("I heard: do not tell me a joke.")


def test_a_very_long_message_is_repeated_in_part_only() -> None:
    said = answer([("user", "blah " * 50_000)])
    assert " blah and so on. I answer by rules" in said
    assert len(said.split()) < 45


def test_silence_is_answered() -> None:
    assert answer([("user", "..."), ("assistant", "x"), ("user", "...")]).startswith("I am still here.")


def test_without_a_message_the_agent_opens_with_its_name_from_the_system_prompt() -> None:
    assert answer([CLARA]) == "Hello, I am Clara. What can I do for you?"
    assert answer([("system", "Your name is Max.")]).startswith("Hello, I am Max.")
    assert answer([("system", "You are a helpful assistant.")]).startswith("Hello, I am Mini.")
    assert answer([CLARA, ("user", "who are you")]).startswith("My name is Clara.")


def test_go_on_continues_the_story_from_the_last_heard_word() -> None:
    heard, rest = STORY[: STORY.index(" the land.")], STORY[STORY.index("the land.") :]
    talk: Talk = [CLARA, ("user", "tell me a story"), ("assistant", heard), ("user", "go on")]
    assert answer(talk) == f"All right. {rest}"


def test_go_on_after_go_on_continues_where_that_was_cut_off() -> None:
    heard = "Once upon a time there was"
    talk: Talk = [("user", "tell me a story"), ("assistant", heard), ("user", "go on")]
    talk += [("assistant", "All right. a small lighthouse at the end..."), ("user", "continue please")]
    assert answer(talk).startswith("Okay. of the land. An old woman") or answer(talk).startswith(
        "All right. of the land."
    )


def test_go_on_continues_counting_and_says_a_half_heard_number_again() -> None:
    talk: Talk = [("user", "count to fifty"), ("assistant", "One, two, three, four, fi"), ("user", "go on")]
    assert answer(talk).startswith("All right. five, six, seven, eight, nine, ten. Eleven, ")
    assert answer(talk).endswith("forty nine, fifty.")


def test_another_question_in_between_does_not_lose_the_story() -> None:
    talk: Talk = [("user", "tell me a story"), ("assistant", "Once upon a time")]
    assert converse("what time is it", "go on", talk=talk)[1].startswith("All right. there was a small lighthouse")


def test_a_story_told_to_its_end_is_over() -> None:
    talk: Talk = [("user", "tell me a story"), ("assistant", "Once upon a time")]
    answers = converse("go on", "go on", talk=talk)
    assert answers[0].endswith("That is the end of the story.")
    assert answers[1] == "I had said everything. Ask me for a story or something else."


def test_a_story_whose_question_left_the_history_is_continued_all_the_same() -> None:
    talk: Talk = [("assistant", "and the lamp went out, the cat sang"), ("user", "go on")]
    assert answer(talk) == "All right. until the sun came up. That is the end of the story."


def test_the_agent_knows_that_it_was_interrupted_and_where() -> None:
    talk: Talk = [("user", "tell me a story"), ("assistant", "Once upon a time there was a small")]
    assert converse("why did you stop", talk=talk)[0].startswith("You interrupted me after the word small.")
    assert converse("stop", "go on", talk=talk)[1].startswith("All right. lighthouse at the end")
    assert converse("tell me a joke", "why did you stop")[1] == "Nobody interrupted me. I had said everything."


def test_say_again_after_an_interruption_says_the_whole_answer() -> None:
    talk: Talk = [("user", "what is seven times eight"), ("assistant", "Seven times"), ("user", "say again")]
    assert answer(talk) == "I said: Seven times eight is fifty six."


def test_a_reply_that_was_never_heard_leaves_two_messages_of_the_caller() -> None:
    assert answer([("user", "my name is tom"), ("user", "what is my name")]) == "Your name is Tom."


def test_the_same_conversation_gives_the_same_answer() -> None:
    talk: Talk = [CLARA, ("user", "hello"), ("assistant", "Hello."), ("user", "flip a coin")]
    assert answer(talk) == answer(list(talk))


def test_a_long_chain_of_go_on_is_answered_quickly() -> None:
    talk: Talk = [("user", "tell me a story"), ("assistant", "Once")]
    talk += [("user", "go on"), ("assistant", "All right. and")] * 5_000
    began = time.process_time()
    assert answer([*talk, ("user", "go on")])
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("heard", "rest"),
    [
        ("One, two,", "three."),
        ("one two [interrupted]", "three."),
        ("One, t", "two, three."),
        ("One, two, three.", ""),
        ("One, four", None),
        ("", None),
        ("One, two, three. Four.", None),
    ],
)
def test_what_was_left_unsaid_follows_from_what_was_heard(heard: str, rest: str | None) -> None:
    assert left_unsaid("One, two, three.", heard) == rest


def test_the_end_of_what_was_heard_finds_its_place_in_a_known_text() -> None:
    assert left_unsaid_of_any(["a b c d e"], "x b c d") == "e"
    assert left_unsaid_of_any(["a b c d e"], "c d") is None
    assert left_unsaid_of_any(["a b c d e"], "x y z") is None
