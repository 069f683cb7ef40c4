"""Is a recording heard as the detector hears it, and are its words where there is speech?"""

import os
from pathlib import Path

import pytest
from pcm import read_wav, write_wav
from voice_bench.evals.judging import judge
from voice_bench.evals.microphone import FRAME_SAMPLES, RATE_HZ
from voice_bench.evals.playing import play
from voice_bench.evals.recorded_audio import recorded_sound
from voice_bench.evals.scenario import Scenario


@pytest.fixture
def recording() -> Path:
    """A recording of speech."""
    folder = os.environ.get("VOICE_AUDIO")
    assert folder, "set VOICE_AUDIO to the folder that scripts/fetch_recordings.py prints"
    return sorted(Path(folder).glob("*.wav"))[0]


def test_words_lie_in_speech_and_speech_in_the_recording(recording: Path) -> None:
    sound = recorded_sound(recording, "one two three", 16_000)
    length = len(read_wav(recording).at(RATE_HZ).pcm16) // 2
    assert 16_000 <= sound.voiced[0][0] < sound.voiced[-1][1] <= 16_000 + length + FRAME_SAMPLES
    assert [word.text for word in sound.words] == ["one", "two", "three"]
    assert sound.words[0].first == sound.voiced[0][0]
    assert sound.words[-1].last == sound.voiced[-1][1]
    assert max(sound.scores) > 0.9


def test_a_recording_is_a_turn(recording: Path) -> None:
    steps = [{"play": str(recording), "heard_as": "all that was said"}]
    expect = {"events": [{"event": "turn ended", "contains": "said"}, "reply ended"]}
    assert judge(play(Scenario.model_validate({"title": "A test", "caller": steps, "expect": expect}))) == []


def test_silence_is_no_recording_of_speech(tmp_path: Path) -> None:
    write_wav(tmp_path / "silence.wav", [bytes(2 * RATE_HZ)], RATE_HZ)
    with pytest.raises(ValueError, match="the detector hears no speech in it"):
        recorded_sound(tmp_path / "silence.wav", "nothing", 0)
