"""Whatever the grammar lets a recogniser hear, the responder understands."""

from pathlib import Path

import pytest
from mini_llm.grammar import jsgf, sentences
from mini_llm.hearing import understand
from mini_llm.rulebook import load_rulebook
from pocketsphinx import Decoder, get_model_path

PAIRS = sentences()


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


def test_every_word_of_the_grammar_is_in_the_recognisers_dictionary(dictionary: set[str]) -> None:
    body = jsgf().split("\n", 2)[2]
    for sign in "()[]|;=":
        body = body.replace(sign, " ")
    assert {word for word in body.split() if not word.startswith("<") and word != "public"} - dictionary == set()


def test_the_recogniser_loads_the_grammar() -> None:
    decoder = Decoder(lm=None, loglevel="FATAL")
    decoder.add_jsgf_string("intents", jsgf())
    decoder.activate_search("intents")
    assert decoder.current_search() == "intents"
