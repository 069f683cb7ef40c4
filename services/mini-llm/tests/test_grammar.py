"""Whatever the grammar lets a recogniser hear, the responder understands, and the other way round."""

import random
from datetime import datetime
from pathlib import Path

import pytest
from mini_llm.conversation import conversation
from mini_llm.grammar import jsgf, sentences
from mini_llm.hearing import understand
from mini_llm.numbers import number_words
from mini_llm.pattern import parse_pattern, sample
from mini_llm.responder import respond
from mini_llm.rulebook import load_rulebook
from mini_llm.skills import SKILLS
from pocketsphinx import Decoder, get_model_path

NOW = datetime(2026, 3, 3, 15, 5)
PAIRS = sentences(load_rulebook())


@pytest.fixture(scope="module")
def dictionary() -> set[str]:
    """The words the embedded recogniser knows."""
    lines = Path(get_model_path(), "en-us", "cmudict-en-us.dict").read_text("utf-8").splitlines()
    return {line.split()[0] for line in lines if line}


def test_there_are_enough_sentences_for_a_language_model() -> None:
    assert 500 < len(PAIRS) < 3_000
    assert {intent for intent, _ in PAIRS} == {intent.name for intent in load_rulebook().intents}


def test_every_example_sentence_means_its_own_intent_and_nothing_else() -> None:
    wrong = [
        (intent, text, found)
        for intent, text in PAIRS
        if (found := [meaning.intent.name for meaning in understand(text)]) != [intent]
    ]
    assert wrong == []


def test_random_sentences_of_the_whole_grammar_are_understood_with_openers_and_closers() -> None:
    rulebook = load_rulebook()
    chance = random.Random(1)
    opener, closer = parse_pattern("[<opener>]"), parse_pattern("[<closer>]")
    for _ in range(2_000):
        intent = chance.choice(rulebook.intents)
        parts = [opener, chance.choice(intent.patterns), closer]
        text = " ".join(word for part in parts for word in sample(part, rulebook.rules, chance))
        assert understand(text), text


def test_every_example_sentence_gets_an_answer_other_than_not_understood() -> None:
    fallbacks = tuple(text.split("{")[0] for text in load_rulebook().fallback)
    for _, text in PAIRS:
        answer = respond(conversation([("user", text)]), NOW)
        assert answer
        assert not answer.startswith(fallbacks)
        assert not set("{}*_#`0123456789") & set(answer), answer


def test_every_word_of_the_grammar_is_in_the_recognisers_dictionary(dictionary: set[str]) -> None:
    rulebook = load_rulebook()
    sources = [*rulebook.sources.values(), *(text for texts in rulebook.intent_sources.values() for text in texts)]
    words = {word for source in sources for word in _plain_words(source)}
    assert words - dictionary == set()


def test_the_recogniser_loads_the_grammar() -> None:
    decoder = Decoder(lm=None, loglevel="FATAL")
    decoder.add_jsgf_string("intents", jsgf(load_rulebook()))
    decoder.activate_search("intents")
    assert decoder.current_search() == "intents"


def test_every_skill_named_in_the_intent_file_exists_and_every_skill_is_used() -> None:
    assert {intent.skill for intent in load_rulebook().intents} == set(SKILLS)


def test_every_word_of_every_answer_can_be_said() -> None:
    for intent in load_rulebook().intents:
        for line in (line for lines in intent.answers.values() for line in lines):
            assert line == " ".join(line.split()), f"{intent.name}: {line!r}"
            assert not set("*_#`0123456789/") & set(line), line


def test_numbers_up_to_one_hundred_are_in_the_grammar(dictionary: set[str]) -> None:
    assert all(set(number_words(number).split()) <= dictionary for number in range(101))


def _plain_words(source: str) -> list[str]:
    for sign in "()[]|+":
        source = source.replace(sign, " ")
    return [word for word in source.split() if not word.startswith("<")]


def test_rules_for_typed_text_alone_are_not_in_the_grammar() -> None:
    text = jsgf(load_rulebook())
    assert "<number_word>" not in text
    assert "<below_hundred> = " in text
