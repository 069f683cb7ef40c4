"""Does the real model hear what people said, alone and together with others?"""

from collections.abc import Mapping

import numpy as np
import pytest
from speech_server.core.asr.estimated_times import spread
from speech_server.engines.asr.moonshine.greedy_decoding import Written
from speech_server.engines.asr.moonshine.model import MoonshineModel
from speech_server.engines.asr.moonshine.model_files import MoonshineFiles
from speech_server.engines.onnx.session import Stop
from speech_server.errors import EngineUnavailable
from speech_server.recognition.sectioning import loud_part_s

from .conftest import Recording
from .words import wrong

RATE_HZ = 16_000


def test_people_are_understood_one_by_one(model: MoonshineModel, recordings: Mapping[str, Recording]) -> None:
    said = [(one.text, model.transcribe([one.clip], Stop())[0].text) for one in recordings.values()]
    errors, words = wrong(said)
    assert words >= 90
    assert errors <= 0.06 * words, said


def test_in_a_batch_of_unlike_lengths_nobody_hears_the_others(
    model: MoonshineModel, recordings: Mapping[str, Recording]
) -> None:
    clips = [one.clip for one in recordings.values()]
    together = model.transcribe(clips, Stop())
    errors, words = wrong((one.text, heard.text) for one, heard in zip(recordings.values(), together, strict=True))
    assert errors <= 0.06 * words, [heard.text for heard in together]


def test_quiet_speech_is_understood_as_well(model: MoonshineModel, recordings: Mapping[str, Recording]) -> None:
    quiet = [one.clip * np.float32(10 ** (-30 / 20)) for one in recordings.values()]
    heard = [model.transcribe([clip], Stop())[0].text for clip in quiet]
    errors, words = wrong(zip((one.text for one in recordings.values()), heard, strict=True))
    assert errors <= 0.06 * words, heard


def test_words_get_times_within_the_speech_and_no_confidence(
    model: MoonshineModel, recordings: Mapping[str, Recording]
) -> None:
    clip = recordings["goforward"].clip
    padded = np.concatenate([np.zeros(RATE_HZ, np.float32), clip, np.zeros(RATE_HZ, np.float32)])
    (said,) = model.transcribe([padded], Stop())
    assert said.words[0].start_s >= 1.0
    assert said.words[-1].end_s <= len(padded) / RATE_HZ - 1.0
    assert all(one.end_s <= other.start_s for one, other in zip(said.words, said.words[1:], strict=False))
    assert {word.confidence for word in said.words} == {0.0}
    assert said.confidence == 0.0
    assert " ".join(word.text for word in said.words) == said.text


def test_what_the_model_is_unsure_of_all_along_is_not_said(model: MoonshineModel, files: MoonshineFiles) -> None:
    word = files.vocabulary.index("▁You".encode())
    assert model._text(Written([word], [-0.3, -0.9])) == "You"
    assert model._text(Written([word], [-0.9, -0.7])) == ""


def test_clips_too_short_for_a_sound_say_nothing(model: MoonshineModel) -> None:
    assert [one.text for one in model.transcribe([np.zeros(0, np.float32), np.ones(1599, np.float32)], Stop())] == [
        "",
        "",
    ]


def test_a_batch_can_be_ended_from_outside(model: MoonshineModel, recordings: Mapping[str, Recording]) -> None:
    stop = Stop()
    stop.now()
    with pytest.raises(EngineUnavailable):
        model.transcribe([recordings["goforward"].clip], stop)


def test_times_follow_the_words_lengths() -> None:
    said = spread("Hello, I am Anna.", 0.3, 1.5)
    assert [word.text for word in said.words] == ["Hello,", "I", "am", "Anna."]
    assert [round(word.start_s, 3) for word in said.words] == [0.3, 0.814, 0.9, 1.071]
    assert said.words[-1].end_s == pytest.approx(1.5)
    assert spread("  ", 0.0, 1.0).words == ()


def test_the_loud_part_is_found() -> None:
    hum = np.sin(np.arange(RATE_HZ) / 5).astype(np.float32)
    hush = np.full(RATE_HZ, 0.001, np.float32)
    assert loud_part_s(np.concatenate([hush, hum, hush])) == pytest.approx((1.0, 2.0), abs=0.02)
    assert loud_part_s(np.zeros(RATE_HZ, np.float32)) == (0.0, 1.0)
