"""Which tokens does a phrase favour, and by how much? Read off what is chosen."""

import itertools
import random
from collections.abc import Sequence

import numpy as np
import pytest
from speech_server.core.asr.boosting import BEGINS, CONTINUES, Boosting, Lexicon, follow
from speech_server.core.asr.boosting_tree import ROOT, STRONGEST, WORD, fold, grow, strength, weight

OTHER, BLANK = "▁zzz", "<blk>"


def boosting(pieces: Sequence[str], *phrases: str | tuple[str, float]) -> tuple[Boosting, list[str]]:
    """Of a vocabulary with these pieces, a word of no phrase, and the blank."""
    vocabulary = [*dict.fromkeys([*pieces, OTHER]), BLANK]
    given = tuple((one, 4.0) if isinstance(one, str) else one for one in phrases)
    made = Lexicon(vocabulary, len(vocabulary) - 1).boosting(given)
    assert made is not None
    return made, vocabulary


def place(made: tuple[Boosting, list[str]], *said: str) -> int:
    """Where these pieces lead."""
    at = made[0].start
    for piece in said:
        at = made[0].after(at, made[1].index(piece))
    return at


def worth(made: tuple[Boosting, list[str]], *said: str, beside: str = OTHER) -> float:
    """Nats by which the last piece is favoured beside another, after those before it."""
    at = place(made, *said[:-1])
    low, high = -50.0, 50.0
    while high - low > 1e-4:
        gap = (low + high) / 2
        scores = np.full(len(made[1]), -1000, np.float32)
        scores[made[1].index(beside)], scores[made[1].index(said[-1])] = gap, 0
        low, high = (gap, high) if made[0].choose(at, scores) == made[1].index(said[-1]) else (low, gap)
    return low


def test_a_beginning_earns_little_and_going_on_earns_more() -> None:
    made = boosting(["▁par", "ak", "eet"], "parakeet")
    assert worth(made, "▁par") == pytest.approx(BEGINS, abs=1e-3)
    assert worth(made, "▁par", "ak") == pytest.approx(CONTINUES + weight(3), abs=1e-3)
    assert worth(made, "▁par", "ak", "eet") == pytest.approx(CONTINUES + weight(5), abs=1e-3)


def test_a_token_that_does_not_belong_earns_nothing() -> None:
    made = boosting(["▁par", "ak", "▁so"], "parakeet")
    assert worth(made, "▁so") == pytest.approx(0, abs=1e-3)
    assert worth(made, "▁so", "ak") == pytest.approx(0, abs=1e-3)
    assert worth(made, "▁par", "▁so") == pytest.approx(0, abs=1e-3)


def test_all_spellings_of_a_phrase_earn_alike() -> None:
    made = boosting(["▁par", "▁PAR", "▁Par", "▁p", "▁parakeet"], "Parakeet")
    assert {round(worth(made, piece), 2) for piece in made[1][:5]} == {BEGINS}


def test_a_phrase_is_whole_words() -> None:
    made = boosting(["▁riva", "▁rival", "l", "▁st", "riv", "riva", "a"], "Riva")
    assert worth(made, "▁rival") == pytest.approx(0, abs=1e-3)
    assert worth(made, "▁st", "riva") == pytest.approx(0, abs=1e-3)
    assert worth(made, "▁st", "riv", "a") == pytest.approx(0, abs=1e-3)
    assert worth(made, "riva") == pytest.approx(BEGINS, abs=1e-3), "an utterance begins where a word begins"


def test_leaving_a_complete_phrase_costs_nothing() -> None:
    made = boosting(["▁par", "ak", "eet", "s", "▁so", "▁new"], "parakeet", "newton")
    assert worth(made, "▁par", "ak", "eet", "s") == pytest.approx(0, abs=1e-3)
    assert worth(made, "▁par", "ak", "eet", "▁new") == pytest.approx(BEGINS, abs=1e-3)
    assert worth(made, "▁par", "ak", "eet", "s", "▁so") == pytest.approx(0, abs=1e-3)


def test_a_phrase_that_begins_another_is_complete_and_goes_on() -> None:
    made = boosting(["▁new", "▁york"], "new", "new york")
    assert worth(made, "▁new", "▁york") == pytest.approx(CONTINUES, abs=1e-3), "nothing is owed after new"
    owed = boosting(["▁new", "▁york"], "new york")
    assert worth(owed, "▁new", "▁york") == pytest.approx(CONTINUES + weight(3), abs=1e-3)


def test_the_end_of_one_phrase_may_begin_another() -> None:
    made = boosting(["▁new", "▁york", "▁city", "▁minster"], "new york city", "york minster")
    assert worth(made, "▁new", "▁york", "▁minster") > CONTINUES
    assert worth(made, "▁new", "▁york", "▁minster", beside="▁city") < 0, "the longer match is worth more"
    assert place(made, "▁new", "▁york", "▁minster") == place(made, "▁york", "▁minster")


def test_a_phrase_begins_anew_inside_another_one() -> None:
    made = boosting(["▁no", "▁way"], "no no way")
    assert place(made, "▁no", "▁no", "▁no") == place(made, "▁no", "▁no")
    assert worth(made, "▁no", "▁no", "▁no", "▁way") > CONTINUES


def test_punctuation_is_no_part_of_a_phrase_but_apostrophes_are() -> None:
    made = boosting(["▁St", ".", "▁John", "'", "s", "’", ","], "St. John's, church")
    assert worth(made, "▁St", ".", "▁John", "'", "s") > CONTINUES
    assert place(made, "▁St", "▁John", "'", "s") == place(made, "▁St", ".", "▁John", ",", "’", "s") != ROOT
    assert worth(made, "▁St", ".") == pytest.approx(0, abs=1e-3), "waiting earns no more than leaving"


@pytest.mark.parametrize(
    ("phrase", "pieces"),
    [
        ("नमस्ते दुनिया", ["▁नम", "स", "्", "ते", "▁", "दुन", "ि", "या"]),
        ("Café Zoë", ["▁CAFE\u0301", "▁Z", "oe", "\u0308"]),
        ("Großmünster", ["▁GROSS", "MÜN", "ster"]),
        ("Wi-Fi", ["▁WI", "-", "Fi"]),
        ("Ελλάς", ["▁ΕΛΛ", "ΆΣ"]),
    ],
)
def test_phrases_of_any_script_and_case_are_found_however_they_are_cut(phrase: str, pieces: list[str]) -> None:
    made = boosting(pieces, phrase)
    at = place(made, *pieces)
    assert at != place(made, *pieces[:-1]) or pieces[-1] == "-"
    assert at == grow([(phrase, 4.0)]).walk(WORD, " ".join(fold(phrase).split()))
    assert all(worth(made, *pieces[:count]) >= 0 for count in range(1, len(pieces) + 1))


def test_folding_pieces_is_folding_the_whole() -> None:
    text = "▁Ångström▁d'Été▁क़लम▁ﬁn"
    for at, to in itertools.combinations(range(len(text)), 2):
        assert fold(text[:at]) + fold(text[at:to]) + fold(text[to:]) == fold(text)


def test_a_boost_works_more_the_higher_it_is_but_never_drowns_the_sound() -> None:
    assert strength(0) == strength(4) == pytest.approx(1)
    rising = [strength(boost) for boost in (-1e9, -100, -4, 0.1, 1, 4, 20, 100, 1e9, 3e38)]
    assert rising == sorted(rising)
    assert rising[-1] == pytest.approx(STRONGEST)
    made = boosting(["▁par", "▁new"], ("parakeet", 100.0), ("newton", 1.0))
    assert 2.5 < worth(made, "▁par") < 3
    assert 0.2 < worth(made, "▁new") < 0.5


def test_the_stronger_of_two_phrases_counts_where_they_begin_alike() -> None:
    made = boosting(["▁new", "▁york", "▁delhi"], ("new york", 1.0), ("new delhi", 100.0))
    assert worth(made, "▁new") > 2.5
    assert worth(made, "▁new", "▁york", beside="▁delhi") < -5


def test_an_unwanted_phrase_is_disfavoured_where_it_would_be_complete() -> None:
    made = boosting(["▁bad", "▁word", "▁words", "s"], ("bad word", -4.0))
    assert worth(made, "▁bad") == pytest.approx(0, abs=1e-3)
    assert worth(made, "▁bad", "▁word") == pytest.approx(-weight(7), abs=1e-3)
    assert worth(made, "▁bad", "▁words") == pytest.approx(0, abs=1e-3)
    assert worth(made, "▁bad", "▁word", "s") == pytest.approx(0, abs=1e-3)


def test_an_unwanted_word_inside_a_wanted_phrase_and_the_other_way_round() -> None:
    made = boosting(["▁new", "▁york", "▁city"], "new york city", ("york", -4.0))
    assert worth(made, "▁york") < 0
    assert worth(made, "▁new", "▁york") == pytest.approx(CONTINUES + weight(3) - weight(4), abs=1e-3)
    made = boosting(["▁very", "▁bad", "▁ly"], ("very bad ly", -4.0), "bad ly")
    assert worth(made, "▁very", "▁bad") == pytest.approx(BEGINS, abs=1e-3)
    assert worth(made, "▁very", "▁bad", "▁ly") == pytest.approx(CONTINUES + weight(3) - weight(9), abs=1e-3)


def test_the_blank_is_never_chosen_and_marks_lead_nowhere() -> None:
    made = boosting(["▁par", "<unk>", "ak"], "parakeet", "unk", "blk")
    scores = np.array([0, 0, 0, 0, 9], np.float32)
    assert made[0].choose(made[0].start, scores) == 0
    assert place(made, "▁par", "<unk>") == place(made, "▁par")
    assert worth(made, "<unk>") == pytest.approx(0, abs=1e-3)


def test_phrases_without_letters_are_none() -> None:
    lexicon = Lexicon(["▁a", BLANK], 1)
    assert lexicon.boosting(()) is None
    assert lexicon.boosting((("", 4.0), (" ... ", 4.0))) is None
    assert follow([None, None]) is None
    assert follow([]) is None


def test_the_tree_of_the_same_phrases_is_made_once() -> None:
    lexicon = Lexicon(["▁a", BLANK], 1)
    assert lexicon.boosting((("a", 4.0),)) is lexicon.boosting((("a", 4.0),))
    assert lexicon.boosting((("a", 4.0),)) is not lexicon.boosting((("a", 5.0),))


@pytest.mark.parametrize("seed", range(8))
def test_places_and_favours_are_those_of_looking_through_the_whole_text(seed: int) -> None:
    rng = random.Random(seed)
    pieces = ["▁", *("▁" * (rng.random() < 0.5) + "".join(rng.choices("ab", k=rng.randint(1, 3))) for _ in range(25))]
    phrases = [
        " ".join("".join(rng.choices("ab", k=rng.randint(1, 4))) for _ in range(rng.randint(1, 3))) for _ in "12345"
    ]
    made = boosting(pieces, *phrases)
    tree = grow([(phrase, 4.0) for phrase in phrases])
    beginnings = {f" {phrase}"[:count] for phrase in phrases for count in range(1, len(phrase) + 2)}
    text, at = " ", made[0].start
    for _ in range(400):
        piece = rng.choice(pieces)
        more, token = piece.replace("▁", " "), made[1].index(piece)
        text += more
        longest = next((text[cut:] for cut in range(len(text)) if text[cut:] in beginnings), "")
        if more.strip():
            is_part = len(longest.lstrip()) >= len(more.strip())
            assert _is_favoured(made, at, token) == is_part
        at = made[0].after(at, token)
        assert at == tree.walk(ROOT, longest)


def _is_favoured(made: tuple[Boosting, list[str]], at: int, token: int) -> bool:
    scores = np.full(len(made[1]), -1000, np.float32)
    scores[token], scores[made[1].index(OTHER)] = -0.5, 0
    return made[0].choose(at, scores) == token
