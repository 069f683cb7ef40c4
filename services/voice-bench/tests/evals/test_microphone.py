"""Is a stretch of a caller's audio found again, and are the words in it where they were said?"""

import random

from voice_bench.evals.microphone import FRAME_SAMPLES, Microphone, Sound, SoundWord, spread
from voice_bench.evals.speech_timing import timed, without_pauses


def recorded(seconds: int = 20) -> tuple[Microphone, bytes]:
    """A microphone, and what it has recorded with a second of speech at 5 s."""
    microphone = Microphone()
    microphone.add(Sound(((80_000, 96_000),), (SoundWord("hello", 80_000, 88_000), SoundWord("you", 88_000, 96_000))))
    return microphone, b"".join(microphone.record(FRAME_SAMPLES) for _ in range(seconds * 16_000 // FRAME_SAMPLES))


def test_any_stretch_of_audio_is_found_where_it_was_recorded() -> None:
    microphone, audio = recorded()
    chance = random.Random(3)
    for _ in range(200):
        first = chance.randrange(len(audio) // 2 - 800)
        stretch = audio[2 * first : 2 * (first + chance.randrange(64, 800))]
        assert microphone.find(stretch, None) == first
        assert microphone.find(stretch, first) == first
        assert microphone.find(stretch, first + 7) == first


def test_audio_that_is_not_of_the_caller_is_not_found() -> None:
    microphone, _ = recorded()
    assert microphone.find(bytes(3200), None) is None


def test_words_are_heard_once_their_audio_is_over() -> None:
    microphone, _ = recorded()
    assert [word.text for _, word in microphone.words(0, 90_000)] == ["hello"]
    assert [word.text for _, word in microphone.words(85_000, 96_000)] == ["you"]
    assert microphone.silent_since(100_000) == 96_000
    assert microphone.silent_since(90_000) == 90_000


def test_the_detector_hears_speech_where_there_is_some() -> None:
    microphone, _ = recorded()
    speech = [frame for frame in range(600) if microphone.probability(frame * FRAME_SAMPLES) > 0.5]
    assert (speech[0] * FRAME_SAMPLES, (speech[-1] + 1) * FRAME_SAMPLES) == (79_872, 96_256)


def test_nothing_more_is_heard_of_a_sound_that_is_cut() -> None:
    microphone = Microphone()
    microphone.add(Sound(((0, 16_000),), (SoundWord("one", 0, 4_000), SoundWord("two", 4_000, 16_000)), "One two."))
    for _ in range(10):
        microphone.record(FRAME_SAMPLES)
    microphone.cut()
    (sound,) = microphone.sounds
    assert (sound.voiced, sound.words, sound.final) == (((0, 5120),), (SoundWord("one", 0, 4_000),), "")


def test_words_are_spread_over_the_stretches_that_are_voiced() -> None:
    words = spread("one two", [(0, 100), (500, 600)])
    assert [(word.text, word.first, word.last) for word in words] == [("one", 0, 100), ("two", 500, 600)]


def test_a_pause_in_brackets_takes_time_and_is_no_word() -> None:
    words = timed("five [1.5] six")
    assert [word.text for word in words] == ["five", "six"]
    assert words[1].start_s - words[0].end_s == 1.5
    assert without_pauses("five [1.5] six") == "five six"
    assert timed("five", 320)[0].end_s == timed("five")[0].end_s / 2
