"""Which words have stopped changing? Passes in, words out."""

from speech_server.core.asr.asr_types import Word
from speech_server.core.asr.local_agreement import Agreement, Cut, committed, cut, heard, stability


def words(text: str, each_s: float = 0.5, first_s: float = 0.0) -> tuple[Word, ...]:
    return tuple(
        Word(word, first_s + number * each_s, first_s + (number + 0.8) * each_s)
        for number, word in enumerate(text.split())
    )


def text(found: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in found)


def passes(*texts: str) -> Agreement:
    state = Agreement()
    for one in texts:
        state = heard(state, words(one))
    return state


def test_one_pass_agrees_with_nobody() -> None:
    state = passes("go for")
    assert text(state.agreed) == ""
    assert text(state.shown) == "go for"


def test_what_two_passes_say_is_agreed() -> None:
    state = passes("go for", "go forward ten")
    assert text(state.agreed) == "go"
    assert text(state.shown) == "go forward ten"


def test_agreed_words_stay_whatever_comes_later() -> None:
    state = passes("go for", "go forward", "no forward ten", "no forward ten meters")
    assert text(state.shown).startswith("go forward ten")


def test_case_and_punctuation_do_not_break_an_agreement() -> None:
    state = passes("Hello world.", "Hello, world and")
    assert text(state.agreed) == "Hello, world"


def test_a_word_of_punctuation_only_is_compared_as_it_is() -> None:
    assert text(passes("- go", "! go").agreed) == ""


def test_a_short_buffer_is_never_cut() -> None:
    state = passes("a b c d e f", "a b c d e f")
    assert cut(state, 8.0, 8.0) is None


def test_a_long_buffer_loses_its_agreed_words_and_their_audio() -> None:
    state = passes("a b c d e f", "a b c d e f")
    made = cut(state, 3.2, 2.0)
    assert made is not None
    assert text(made.words) == "a b c d"
    assert 1.9 <= made.at_s <= 2.0, "in the gap between d and e"
    left = committed(state, made)
    assert text(left.shown) == "e f"
    assert left.shown[0].start_s < 0.1


def test_words_at_the_growing_end_are_kept() -> None:
    state = passes("a b", "a b")
    made = cut(state, 1.2, 1.0)
    assert made is None


def test_without_agreement_the_newest_pass_is_believed_at_twice_the_length() -> None:
    state = passes("x y z", "a b c")
    assert cut(state, 3.9, 2.0) is None
    made = cut(state, 4.1, 2.0)
    assert made is not None
    assert text(made.words) == "a b c"


def test_a_buffer_without_words_is_forgotten_at_twice_the_length() -> None:
    assert cut(Agreement(), 5.0, 2.0) == Cut((), 4.0)


def test_stability_is_the_part_that_stays_and_never_says_the_utterance_has_ended() -> None:
    assert stability(0, Agreement()) == 0.0
    assert stability(0, passes("a b")) == 0.0
    assert 0.4 < stability(0, passes("a b", "a c")) < 0.5
    assert stability(5, passes("a b", "a b")) < 1.0
