"""Do partials come as often as was asked for, no more often, and also while the recogniser has nothing new?"""

from voice_gateway.core.events import Transcribed
from voice_gateway.core.interim_pacing import InterimPacing

FIRST, SECOND = Transcribed(1, 1, "one", False), Transcribed(1, 1, "one two", False)


def test_the_first_partial_is_due_at_once_and_the_next_one_an_interval_later() -> None:
    state = InterimPacing().heard(FIRST)
    assert state.due_at(0.2, is_speaking=True) == 0.0
    state = state.told(10.0).heard(SECOND)
    assert (state.due_at(0.2, is_speaking=True), state.latest) == (10.2, SECOND)


def test_while_speech_goes_on_the_same_partial_is_due_again_and_in_silence_it_is_not() -> None:
    state = InterimPacing().heard(FIRST).told(10.0)
    assert state.due_at(0.2, is_speaking=True) == 10.2
    assert state.due_at(0.2, is_speaking=False) is None
    assert state.heard(SECOND).due_at(0.2, is_speaking=False) == 10.2, "new words are told in silence, too"


def test_nothing_is_due_without_an_open_utterance() -> None:
    assert InterimPacing().due_at(0.2, is_speaking=True) is None
