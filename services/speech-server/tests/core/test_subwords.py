"""How do tokens become words?"""

import math

import pytest
from speech_server.core.asr.subwords import Emitted, hypothesis, shifted

VOCABULARY = ("▁go", "▁for", "ward", "<unk>", "▁", ".", "<blk>")


def test_pieces_become_words_with_times_and_confidence() -> None:
    said = hypothesis(
        [Emitted(0, 2, 2, math.log(0.9)), Emitted(1, 5, 3, math.log(0.8)), Emitted(2, 8, 4, math.log(0.2))],
        VOCABULARY,
        0.08,
    )
    assert said.text == "go forward"
    assert [(round(word.start_s, 2), round(word.end_s, 2)) for word in said.words] == [(0.16, 0.32), (0.4, 0.96)]
    assert said.words[0].confidence == pytest.approx(0.9)
    assert said.words[1].confidence == pytest.approx(0.4)
    assert said.confidence == pytest.approx(0.65)


def test_a_first_piece_without_a_mark_begins_a_word() -> None:
    assert hypothesis([Emitted(2, 0), Emitted(0, 1)], VOCABULARY, 0.08).text == "ward go"


def test_punctuation_belongs_to_its_word() -> None:
    assert hypothesis([Emitted(0, 0), Emitted(5, 3)], VOCABULARY, 0.08).text == "go."


def test_marks_are_no_text() -> None:
    assert hypothesis([Emitted(3, 0), Emitted(0, 1)], VOCABULARY, 0.08).text == "go"


def test_a_lone_space_is_no_word() -> None:
    assert hypothesis([Emitted(4, 0)], VOCABULARY, 0.08).words == ()


def test_nothing_is_an_empty_hypothesis() -> None:
    said = hypothesis([], VOCABULARY, 0.08)
    assert (said.text, said.words, said.confidence) == ("", (), 0.0)


def test_times_never_overlap() -> None:
    said = hypothesis([Emitted(0, 0, 4), Emitted(1, 2)], VOCABULARY, 0.08)
    assert said.words[1].start_s == said.words[0].end_s


def test_shifted_words_keep_their_length() -> None:
    said = hypothesis([Emitted(0, 0, 4)], VOCABULARY, 0.08)
    (word,) = shifted(said.words, 10.0)
    assert (word.start_s, round(word.end_s, 2)) == (10.0, 10.32)
