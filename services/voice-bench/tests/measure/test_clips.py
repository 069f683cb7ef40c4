"""Do clips begin and end loud, and does a loudspeaker know what was heard?"""

from math import inf

import numpy as np
import pytest
from voice_bench.measure import clips
from voice_bench.measure.clips import FRAME_BYTES, RATE_HZ, NoSpeech, clips_of, frames_of
from voice_bench.measure.loudspeaker import Loudspeaker
from voice_bench.measure.word_times import words_over


def tone(seconds: float, level: float = 0.3) -> bytes:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (level * 32767 * np.sin(2 * np.pi * 300 * times)).astype("<i2").tobytes()


def quiet(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE_HZ))


@pytest.fixture
def _everything_is_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "OnsetFilter", lambda: lambda pcm16: True)


@pytest.mark.usefixtures("_everything_is_speech")
def test_a_clip_has_no_silence_at_its_ends() -> None:
    found = clips_of([quiet(0.5) + tone(0.8) + quiet(0.5)], 0.6, 1.2)
    assert [len(clip) for clip in found] == [40]
    assert all(len(frame) == FRAME_BYTES and any(frame) for frame in found[0])


@pytest.mark.usefixtures("_everything_is_speech")
def test_a_pause_ends_a_clip_and_long_speech_makes_several() -> None:
    found = clips_of([tone(0.7) + quiet(0.3) + tone(2.0)], 0.6, 1.0)
    assert [len(clip) for clip in found] == [35, 50, 50]


def test_a_tone_is_no_speech_to_the_detector() -> None:
    with pytest.raises(NoSpeech, match="plain speech"):
        clips_of([tone(0.8)], 0.6, 1.2)


def test_frames_are_whole() -> None:
    assert [len(frame) for frame in frames_of(tone(0.03))] == [FRAME_BYTES, FRAME_BYTES]


def test_what_came_plays_in_real_time_and_no_further() -> None:
    speaker = Loudspeaker(1000)
    speaker.take(500, at=10.0)
    assert speaker.played(10.2) == 200
    assert speaker.silent_from() == pytest.approx(10.5)
    assert speaker.played(11.0) == 500


def test_audio_that_comes_in_time_plays_without_a_gap_and_late_audio_when_it_comes() -> None:
    speaker = Loudspeaker(1000)
    speaker.take(500, at=10.0)
    speaker.take(500, at=10.3)
    assert speaker.played(10.9) == 900
    speaker.take(100, at=12.0)
    assert speaker.played(12.05) == 1050


def test_a_paused_loudspeaker_goes_on_where_it_was() -> None:
    speaker = Loudspeaker(1000)
    speaker.take(500, at=10.0)
    speaker.pause(at=10.2)
    speaker.pause(at=10.3)
    assert speaker.played(15.0) == 200
    assert speaker.silent_from() == inf
    speaker.go_on(at=20.0)
    speaker.go_on(at=21.0)
    assert speaker.played(20.1) == 300
    assert speaker.silent_from() == pytest.approx(20.3)


def test_what_comes_to_a_paused_loudspeaker_plays_when_it_goes_on() -> None:
    speaker = Loudspeaker(1000)
    speaker.pause(at=10.0)
    speaker.take(500, at=11.0)
    assert speaker.played(12.0) == 0
    speaker.go_on(at=12.0)
    assert speaker.played(12.1) == 100


def test_a_word_is_heard_when_its_last_sample_was() -> None:
    lengths = [(300, 360), (180, 240), (300, 360)]
    assert [words_over(lengths, samples) for samples in (0, 299, 300, 539, 540, 899, 900)] == [0, 0, 1, 1, 2, 2, 3]
